"""What `mpiflow plan --calibrate` predicts beside what `mpiflow run` takes: python tests/benchmarks/bench_plan.py.

Every run is planned just before it is made, on the same machine; seconds are those of the slowest rank, from the state.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py

BIN = Path(sys.executable).parent
JOBS = Path(__file__).parents[2] / "jobs"
#: Run file, settings, ranks: streamed, stored, each pair once; float32 and float64; clustered.
CASES = {
    "Gaussian, streamed": ("scaling-strong", ["points.train=8192"], 1),
    "Gaussian, streamed, 2 ranks": ("scaling-strong", ["points.train=16384"], 2),
    "ReLU float32, stored": ("exact-100k", ["points.train=20000", "flow.steps=10", "flow.test_every=1"], 1),
    "ReLU float32, each pair once, 2 ranks": (
        "exact-100k",
        ["points.train=30000", "flow.steps=10", "flow.test_every=1"],
        2,
    ),
    "generic sections, k = 4, 2 ranks": ("random-quintic", [], 2),
    "Gaussian, stored, 4 clusters": (
        "quickstart",
        ["points.train=12000", "clusters.count=4", "clusters.batch=6000", "flow.steps=40", "engine.mode=resident"],
        1,
    ),
}


def main() -> None:
    """A table of predicted and measured seconds of the flow and of the whole run."""
    print("| run | flow: planned / taken, s | ratio | all stages: planned / taken, s | ratio |")
    print("| --- | --- | --- | --- | --- |")
    for name, (job, settings, ranks) in CASES.items():
        planned, taken = compared(JOBS / f"{job}.toml", settings, ranks)
        flow, every = (planned["flow"], taken["flow"]), (sum(planned.values()), sum(taken.values()))
        cells = (f"{a:.2f} / {b:.2f} | {a / b:.2f}" for a, b in (flow, every))
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def compared(job: Path, settings: list[str], ranks: int) -> tuple[dict[str, float], dict[str, float]]:
    """Seconds of each stage of one run, planned and taken."""
    words = [word for setting in settings for word in ("--set", setting)]
    found = command("plan", job, *words, "--ranks", ranks, "--calibrate", "--json")
    with tempfile.TemporaryDirectory() as folder:
        command("run", job, *words, "-o", folder, "--quiet", ranks=ranks)
        with h5py.File(sorted(Path(folder).glob("state-*.h5"))[-1]) as state:
            timing = {stage: float(max(state["timing"][stage])) for stage in state["timing"] if stage != "exchange"}
    flow = timing["flow"] + timing["test"]
    whole = timing["sample_and_cluster"] + timing["build"] + flow + timing["save"]
    return json.loads(found)["seconds"] | {"evaluate": 0.0}, {"flow": flow, "rest": whole - flow}


def command(*words, ranks: int = 0) -> str:
    """Run one mpiflow command, under mpiexec on so many ranks; returns what it printed."""
    launcher = [BIN / "mpiexec", "-n", ranks] if ranks else []
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    line = list(map(str, [*launcher, BIN / "mpiflow", *words]))
    return subprocess.run(line, check=True, capture_output=True, text=True, env=environment).stdout


if __name__ == "__main__":
    main()
