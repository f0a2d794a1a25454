"""The parts of gpu_check.py that are of the GPU and of kernel sums: each gives rows of RESULTS.md, its docstring says which."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]


N = 100_000


#: Lower bounds of a step on 1e5 x 1e5 entries and nine columns on an H100, in ms, counted from the disassembled loops of sm_90.
BOUND = {
    ("relu", "float32"): 13.2,
    ("relu", "float64"): 31.0,
    ("gaussian", "float32"): 16.9,
    ("gaussian", "float64"): 46.5,
    "resident": 12.0,
}


PAIRS = {
    ("relu", "float32"): 9.7,
    ("relu", "float64"): 18.5,
    ("gaussian", "float32"): 11.5,
    ("gaussian", "float64"): 26.3,
}


PARTS: dict[str, Callable] = {}


def part(function: Callable) -> Callable:
    """Its name is the function's; it takes what writes a row, and whether this is dry."""
    PARTS[function.__name__] = function
    return function


def points(count: int, seed: int = 0) -> np.ndarray:
    """Patch-scaled points of P^4: (count, 5) complex128."""
    z = np.random.default_rng(seed).normal(size=(count, 5, 2)).view(complex)[..., 0]
    return z / z[np.arange(count), np.abs(z).argmax(1)][:, None]


def kernels():
    """A ReLU and a Gaussian kernel of the paper."""
    from mpiflow.kernels.gaussian import Gaussian
    from mpiflow.kernels.relu import ReluNTK

    return {"relu": ReluNTK(1, 1.0, 0.0), "gaussian": Gaussian(0.4)}


@part
def probe(row, dry: bool) -> None:
    """What is there."""
    from mpiflow import backend

    cupy, reason = backend.probe()
    if cupy is None:
        return row("GPU", reason)
    found = cupy.cuda.runtime.getDeviceProperties(0)
    row("GPU", found["name"].decode())
    row("memory, GB; multiprocessors", found["totalGlobalMem"] / 1e9, found["multiProcessorCount"])
    row("CuPy; driver; runtime; NVRTC", cupy.__version__, cupy.cuda.runtime.driverGetVersion(), *_versions(cupy))
    row("works", backend.take(0) or "yes", backend.device("gpu").name)


def _versions(cupy) -> tuple:
    return cupy.cuda.runtime.runtimeGetVersion(), ".".join(map(str, cupy.cuda.nvrtc.getVersion()))


@part
def unit(row, dry: bool) -> None:
    """The gpu tests of engines and potentials, on one rank and on two."""
    alone = ("tests/unit/test_device.py", "tests/unit/test_low_rank.py", "tests/unit/test_pairing.py")
    for names, ranks in ((alone, 1), (("tests/parallel/test_devices_parallel.py",), 2)):
        command = [sys.executable, "-m", "pytest", "-q", "-m", "gpu", "-p", "no:cacheprovider", *names]
        if dry:
            command.append("--collect-only")
        found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        row(f"gpu tests, {ranks} ranks", found.stdout.strip().splitlines()[-1])
        if found.returncode:
            print(found.stdout[-6000:], found.stderr[-2000:])


@part
def sanitized(row, dry: bool) -> None:
    """One small apply of each loop under compute-sanitizer."""
    text = (
        "import sys; sys.path.insert(0, 'tests/benchmarks'); import gpu_parts as g, numpy as np\n"
        "from mpiflow.modes import choice\n"
        "for k in g.kernels().values():\n"
        "  for mode in ('streamed', 'resident'):\n"
        "    choice.build(k, g.points(700), g.points(900, 1), mode=mode, precision='float32', backend='gpu')"
        ".apply(np.ones((900, 9)))\n"
    )
    command = ["compute-sanitizer", "--error-exitcode", "9", sys.executable, "-c", text]
    if dry:
        return row("compute-sanitizer", "not run")
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    row("compute-sanitizer", (found.stdout.strip().splitlines() or [found.stderr[-300:]])[-1])


@part
def streamed(row, dry: bool) -> None:
    """A step at 1e5 by the clock of the device and by that of the host, and the error of its first rows."""
    for name in kernels():
        for precision in ("float32", "float64"):
            _timed(row, dry, name, precision, "streamed")


@part
def resident(row, dry: bool) -> None:
    """The same from kept tiles, 40 GB of float32; how long they take to fill; whether the bits are those of streamed."""
    _timed(row, dry, "relu", "float32", "resident")


def _timed(row, dry: bool, name: str, precision: str, mode: str) -> None:
    from mpiflow.backend import device
    from mpiflow.modes import choice

    kernel, count = kernels()[name], 2000 if dry else N
    x, v = points(count), np.random.default_rng(1).normal(size=(count, 9))
    began = time.perf_counter()
    built = choice.build(kernel, x, x, mode=mode, precision=precision, backend="auto" if dry else "gpu")
    u = built.apply(v)
    label = f"{name} {precision} {mode}, N = {count:,}"
    row(f"{label}: first apply, s", time.perf_counter() - began)
    reference = kernel.tile(x[:64], x) @ v
    row(f"{label}: error over the largest", np.abs(u[:64] - reference).max() / np.abs(reference).max())
    if dry:
        return
    there = device("gpu").put(v)
    step = _by_events(lambda: built.apply(there))
    again = built.apply(v)
    bound = BOUND["resident"] if mode == "resident" else BOUND[name, precision]
    row(f"{label}: ms a step by the device; counted bound", step, bound)
    row(f"{label}: same bits again", bool((again == u).all()))
    row(f"{label}: bytes held, GB", built.bytes / 1e9)
    if mode == "resident":
        other = choice.build(kernel, x, x, mode="streamed", precision=precision, backend="gpu").apply(v)
        row(f"{label}: the bits of streamed", bool((other == u).all()))


@part
def pairs(row, dry: bool) -> None:
    """Each pair of points once, for both of its products: a step at 1e5, and its error."""
    for name in kernels():
        for precision in ("float32", "float64"):
            _paired(row, dry, name, precision)


def _paired(row, dry: bool, name: str, precision: str) -> None:
    from mpiflow import engine
    from mpiflow.backend import device

    kernel, x, there = kernels()[name], points(2000 if dry else N), device("auto" if dry else "gpu")
    v = np.random.default_rng(1).normal(size=(len(x), 9))
    built = engine.Symmetric(kernel, x, precision) if dry else engine.DeviceSymmetric(kernel, x, precision, there)
    label, held = f"{name} {precision} pairs, N = {len(x):,}", there.put(v)
    shares, unit = built.shares(held)
    found = there.fetch(shares)
    reference = _floored(kernel, precision, x) @ v
    u = found[:64] * (unit * built.factors[:64])[:, None]
    row(f"{label}: error over the largest", np.abs(u - reference).max() / np.abs(reference).max())
    if not dry:
        step = _by_events(lambda: built.shares(held))
        row(f"{label}: ms a step by the device; counted bound", step, PAIRS[name, precision])
        row(f"{label}: same bits again", bool((there.fetch(built.shares(held)[0]) == found).all()))


def _floored(kernel, precision: str, x: np.ndarray) -> np.ndarray:
    """The first 64 rows as tiles know them, without what is added for near pairs."""
    i, j = np.divmod(np.arange(64 * len(x)), len(x))
    return kernel.pairs(x[i], x[j], floor=kernel.floor(precision)).reshape(64, -1)


def _by_events(function: Callable, times: int = 10) -> float:
    """Median milliseconds by the device's clock."""
    import cupy

    function()
    events = [cupy.cuda.Event() for _ in range(times + 1)]
    for event in events:
        event.record()
        function()
    cupy.cuda.get_current_stream().synchronize()
    return float(np.median([cupy.cuda.get_elapsed_time(a, b) for a, b in zip(events, events[1:], strict=False)]))


@part
def million(row, dry: bool) -> None:
    """One Gaussian step at 1e6."""
    count = 2000 if dry else 1_000_000
    x, v = points(count), np.random.default_rng(1).normal(size=(count, 9))
    kernel = kernels()["gaussian"]
    reference = kernel.tile(x[:16], x) @ v
    for mode in ("streamed", "pairs"):
        built = _million(kernel, x, mode, dry)
        built(v)
        began = time.perf_counter()
        u = built(v)
        label = f"gaussian float32 {mode}, N = {count:,}"
        row(f"{label}: s a step with v and u on the host", time.perf_counter() - began)
        row(f"{label}: error over the largest", np.abs(u[:16] - reference).max() / np.abs(reference).max())


def _million(kernel, x: np.ndarray, mode: str, dry: bool) -> Callable:
    from mpiflow import engine
    from mpiflow.backend import device
    from mpiflow.modes import choice

    there = device("auto" if dry else "gpu")
    if mode == "streamed" or dry:
        return choice.build(kernel, x, x, mode="streamed", precision="float32", backend="auto" if dry else "gpu").apply
    built = engine.DeviceSymmetric(kernel, x, "float32", there)

    def apply(v):
        shares, unit = built.shares(there.put(v))
        return there.fetch(shares) * (unit * built.factors)[:, None]

    return apply


@part
def counters(row, dry: bool) -> None:
    """ncu on one launch of the streamed ReLU kernel, float32."""
    if dry:
        return row("ncu", "not run")
    text = (
        "import sys; sys.path.insert(0, 'tests/benchmarks'); import gpu_parts as g, numpy as np\n"
        "from mpiflow.modes import choice\n"
        "x = g.points(g.N)\n"
        "made = choice.build(g.kernels()['relu'], x, x, mode='streamed', precision='float32', backend='gpu')\n"
        "made.apply(np.ones((g.N, 9)))\n"
    )
    names = (
        "gpu__time_duration.sum",
        "sm__inst_executed.sum",
        "sm__throughput.avg.pct_of_peak_sustained_elapsed",
        "sm__warps_active.avg.pct_of_peak_sustained_active",
    )
    command = [
        *"ncu --clock-control none -k streamed -c 1 --metrics".split(),
        ",".join(names),
        sys.executable,
        "-c",
        text,
    ]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    for line in found.stdout.splitlines():
        if "__" in line:
            row("ncu, relu float32 streamed", " ".join(line.split()))
