"""A device that is none, of the array API standard: numpy cannot read its arrays, as it cannot read a GPU's.

Its kernels are CUDA text compiled as C++, each thread of a block a thread of this machine, with a barrier.
"""

import ctypes
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from mpiflow import backend

_PREAMBLE = """
#include <cmath>
#include <barrier>
#include <thread>
#include <vector>
using std::fma; using std::sqrt;
struct float4 { float a, b, c, d; };
struct double2 { double a, b; };
struct Place { int x, y; };
static thread_local Place threadIdx, blockIdx;
static std::barrier<> *together;
#define __global__
#define __launch_bounds__(...)
#define __shared__ static
#define __syncthreads() together->arrive_and_wait()
#define atomicAdd(place, number) __sync_fetch_and_add(place, number)
#define __double2ll_rn(number) std::llrint(number)
"""
_C = {"float32": "float", "float64": "double", "int64": "long long", "int32": "int"}
_C |= {"complex64": "float", "complex128": "double"}
_LAUNCH = """
extern "C" void launch(int blocks, int spans, int threads, void **a) {{
  std::barrier<> barrier(threads);
  together = &barrier;
  std::vector<std::thread> all;
  for (int t = 0; t < threads; t++) all.emplace_back([=] {{
    threadIdx = {{t, 0}};
    for (int y = 0; y < spans; y++) for (int x = 0; x < blocks; x++) {{
      blockIdx = {{x, y}};
      {call};
      {between}
    }}
  }});
  for (auto &one : all) one.join();
}}
"""


def device():
    """Skips the test where array-api-strict is not installed."""
    strict = pytest.importorskip("array_api_strict")
    far, near = strict.Device("device1"), strict.Device("CPU_DEVICE")
    return backend.Device(
        strict,
        lambda a: strict.asarray(a, device=far),
        lambda a: np.asarray(a.to_device(near)).copy(),
        "gpu 3",
        kernel,
        where=(("device", far),),
    )


@cache
def kernel(text, name, options):
    """A function of a grid, a block and arguments. Skips the test where there is no compiler."""
    if shutil.which("g++") is None:
        pytest.skip("no C++ compiler")

    def launched(grid, block, arguments):
        kept = [np.asarray(a) if np.isscalar(a) else a._array for a in arguments]
        pointers = (ctypes.c_void_p * len(kept))(*(a.ctypes.data for a in kept))
        library(tuple((_C[a.dtype.name], a.ndim > 0) for a in kept)).launch(*grid, *block, pointers)

    @cache
    def library(kinds):
        taken = [f"({kind} *)a[{k}]" if array else f"*({kind} *)a[{k}]" for k, (kind, array) in enumerate(kinds)]
        call = f"{name}({', '.join(taken)})"
        # Where a block shares memory, the next one waits for it.
        between = "together->arrive_and_wait();" if "__shared__" in text else ""
        with tempfile.TemporaryDirectory() as folder:
            source, built = Path(folder, "kernel.cc"), Path(folder, "kernel.so")
            source.write_text(_PREAMBLE + text + _LAUNCH.format(call=call, between=between))
            flags = ["-std=c++20", "-O1", "-ffp-contract=off", "-shared", "-fPIC", "-pthread", "-w"]
            subprocess.run(["g++", *flags, source, "-o", built], check=True)
            return ctypes.CDLL(str(built))

    return launched
