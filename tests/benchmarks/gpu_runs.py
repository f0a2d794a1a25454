"""The parts of gpu_check.py that are whole runs, or flows of them: components, potentials, networks, ranks."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from gpu_parts import ROOT, N, part


@part
def runs(row, dry: bool) -> None:
    """50 ReLU steps at 1e5 points from a run file, kernel resident and streamed: s of each step as the state tells them."""
    for mode in ("resident", "streamed", "symmetric"):
        _run(row, dry, mode)


def _run(row, dry: bool, mode: str) -> None:
    from mpiflow.comm import Comm
    from mpiflow.config import check
    from mpiflow.job.flowing import Flowing

    steps = 2 if dry else 50
    table = {
        "run": {"precision": "float32", "backend": "auto" if dry else "gpu"},
        "points": {"train": 1500 if dry else N, "test": 1000},
        "kernel": {"name": "relu", "depth": 1, "b_std": 0.0},
        "engine": {"mode": mode, "memory": 64.0},
        "flow": {"dt": 0.05, "steps": steps, "test_every": steps, "coupling": "all"},
    }
    began = time.perf_counter()
    made = Flowing.begun(Comm(), check(table, "gpu-check"))
    points_made = time.perf_counter()
    made.begin()
    ready = time.perf_counter()
    row(f"{mode} run: s for points; for the kernel", points_made - began, ready - points_made)
    made.advance()
    began = time.perf_counter()
    each = []
    for _ in range(steps - 1):
        start = time.perf_counter()
        made.advance()
        each.append(time.perf_counter() - start)
    total = time.perf_counter() - began
    row(f"{mode} run: s of {steps} steps; ms of a median one", total * steps / (steps - 1), 1e3 * np.median(each))
    row(f"{mode} run: sigma, train, before and after", *(made.history.arrays()["sigma_train"][[0, -1]]))


@part
def potentials(row, dry: bool) -> None:
    """Products of generic sections at k = 6 and invariants at k = 12, on the CPU and the GPU: ms of one forth and back."""
    from mpiflow.comm import Comm
    from mpiflow.config import check
    from mpiflow.job.flowing import Flowing

    cases = {
        "generic 6, many": ("generic", 6, 320_000),
        "generic 6": ("generic", 6, 40_000),
        "generic 4": ("generic", 4, 40_000),
        "invariant 12": ("invariant", 12, 4000),
    }
    for name, (kind, degree, count) in cases.items():
        for backend in ("cpu",) if dry else ("gpu",) if "many" in name else ("cpu", "gpu"):
            for inner in ("float64", "float32") if kind == "generic" else ("float64",):
                table = {
                    "run": {"backend": backend, "inner": inner},
                    "manifold": {"family": "random", "seed": 0} if kind == "generic" else {"family": "fermat"},
                    "points": {"train": 300 if dry else count, "test": 100, "chart": "all"},
                    "kernel": {
                        "name": "kaehler",
                        "features": kind,
                        "degree": 2 if dry else degree,
                        "potential": "log",
                        "ridge": 1e-6,
                    },
                    "engine": {"memory": 24.0},
                    "flow": {"search": {"name": "gauss-newton", "inner": 5}, "dt": 1.0, "steps": 1},
                }
                flow = Flowing.begun(Comm(), check(table, "gpu-check")).flow
                engine = flow.problem.inner
                c, v = np.full(engine.size, 1e-3), np.ones((len(engine.frame), engine.reals))
                spread, t = engine.spread(v), np.ones(len(engine.frame))
                engine.traced(c, spread), engine.pulled(t, spread)
                began, ends = time.perf_counter(), 5 if backend == "gpu" else 1
                for _ in range(ends):
                    engine.traced(c, spread), engine.pulled(t, spread)
                row(f"{name}, {count:,} points, {backend}, {inner}: ms", 1e3 * (time.perf_counter() - began) / ends)


@part
def network(row, dry: bool) -> None:
    """An epoch of the paper's network at 1e5 points on the GPU."""
    _epoch(row, dry, "auto" if dry else "gpu")


@part
def network_on_cpu(row, dry: bool) -> None:
    """The same on a core."""
    _epoch(row, dry, "cpu")


def _epoch(row, dry: bool, backend: str) -> None:
    from mpiflow.comm import Comm
    from mpiflow.config import check
    from mpiflow.job.flowing import Flowing

    table = {
        "run": {"backend": backend, "precision": "float32"},
        "points": {"train": 2000 if dry else N, "test": 1000},
        "network": {"kind": "multiplicative", "batch": 1024},
        "flow": {"dt": 2e-3, "steps": 3, "loss": "sigma"},
    }
    made = Flowing.begun(Comm(), check(table, "gpu-check"))
    made.begin()
    made.advance()
    began = time.perf_counter()
    made.advance()
    row(f"network, {backend}: s an epoch, batches of 1024", time.perf_counter() - began)


@part
def ranks(row, dry: bool) -> None:
    """The same bits twice, and on one against two ranks, from the command line."""
    job = ROOT / "jobs" / "relu.toml"
    launcher = Path(sys.executable).with_name("mpiexec")
    launcher = str(launcher) if launcher.exists() else os.environ.get("MPIEXEC", "mpiexec")
    found, where = {}, "auto" if dry else "gpu"
    for label, count in (("one rank", 1), ("again", 1), ("two ranks", 2)):
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "run"
            settings = f"run.backend={where} flow.steps=5 points.train=3000 flow.coupling=all".split()
            command = [launcher, "-n", count, sys.executable, "-m", "mpiflow", "run", job, "--output", out]
            command = [*map(str, command), *(word for setting in settings for word in ("--set", setting))]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL)
            if done.returncode:
                return row(f"{label}: exit code {done.returncode}", done.stderr[-1500:])
            found[label] = _metric(out)
    row("the same bits again", bool((found["again"] == found["one rank"]).all()))
    row("the same bits on two ranks", bool((found["two ranks"] == found["one rank"]).all()))


def _metric(out: Path) -> np.ndarray:
    import h5py

    with h5py.File(max((out / "states").glob("*.h5") if (out / "states").is_dir() else out.rglob("*.h5"))) as file:
        return file["metric/current"][:]
