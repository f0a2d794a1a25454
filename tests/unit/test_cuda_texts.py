"""Every CUDA text compiles, with what a block and a thread have: by NVIDIA's own compiler, which needs no GPU."""

import nvrtc
import pytest

from mpiflow.engine import cuda_loops
from mpiflow.engine.cuda_loops import OPTIONS, Loops
from mpiflow.engine.cuda_pairs import Pairs
from mpiflow.kernels.erf import ErfNTK
from mpiflow.kernels.gaussian import Gaussian
from mpiflow.kernels.gelu import GeluNTK
from mpiflow.kernels.relu import ReluNTK

pytestmark = pytest.mark.skipif(nvrtc.LIBRARY is None, reason="no nvidia-cuda-nvrtc-cu12 is installed")

SIMPLE = [Gaussian(0.4), ReluNTK(1, 1.0, 0.0), ReluNTK(2, 1.3, 0.4), ErfNTK(depth=2), GeluNTK(depth=2)]


def texts(kernel, precision, columns=9):
    """All loops of a kernel for points of P^4, by name."""
    profile = kernel.profile(4, precision)
    return {
        "streamed": Loops(profile, columns, precision).streamed(),
        "filled": Loops(profile, 0, precision).filled(),
        "paired": Pairs(profile, columns).text,
    }


@pytest.mark.parametrize("architecture", ["sm_80", "sm_90"])
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("kernel", SIMPLE, ids=str)
def test_loops_compile_and_stay_in_registers(kernel, precision, architecture):
    for name, text in texts(kernel, precision).items():
        used = nvrtc.used(nvrtc.compiled(text, architecture, OPTIONS[precision])[1])
        # At least two blocks of 128 threads on a multiprocessor.
        assert 0 < used["registers"] <= 255, name
        assert used["spilled"] == used["stack"] == 0, name
        assert (used["shared"] > 0) == (name != "filled") and used["shared"] <= 48 << 10, name


@pytest.mark.parametrize(
    "kernel, precision", [(ReluNTK(15, 1.3, 0.4), "float64"), (ReluNTK(32, 1.3, 0.4), "float32")], ids=str
)
def test_deep_networks_with_biases_fit_into_shared_memory(kernel, precision):
    for name, text in texts(kernel, precision, columns=12).items():
        assert nvrtc.used(nvrtc.compiled(text, "sm_90", OPTIONS[precision])[1])["shared"] <= 48 << 10, name


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_what_takes_stored_numbers_compiles(precision):
    for rows in (1, 2):
        for columns in (1, 9, 16):
            text = Loops(None, columns, precision, rows).multiplied()
            assert nvrtc.used(nvrtc.compiled(text, "sm_90", OPTIONS[precision])[1])["spilled"] <= 8
    assert nvrtc.used(nvrtc.compiled(cuda_loops.added(9), "sm_90")[1])["registers"] > 0


def test_a_text_that_is_wrong_is_refused():
    with pytest.raises(ValueError, match="no_such_name"):
        nvrtc.compiled('extern "C" __global__ void wrong(double *u) { *u = no_such_name; }', "sm_90")
