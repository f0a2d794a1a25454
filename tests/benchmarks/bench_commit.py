"""What a commit costs: bytes a point, seconds that the flow waits for it, seconds until it is on the disk.

python tests/benchmarks/bench_commit.py [POINTS]
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from mpiflow import config
from mpiflow.comm import Comm
from mpiflow.job.flowing import Flowing
from mpiflow.job.snapshot import Snapshot
from mpiflow.state.commit import Writer

ROUNDS = 5


def main(count: int) -> None:
    """One line of Markdown: the medians of ROUNDS commits, each settled before the next."""
    comm = Comm()
    c = config.check(
        {"points": {"train": count, "test": 2000}, "kernel": {"name": "delta"}, "flow": {"dt": 0.01}}, "bench"
    )
    made = Flowing.begun(comm, c)
    made.begin()
    made.look()
    snapshot = Snapshot(made, None)
    waits, whole = [], []
    with tempfile.TemporaryDirectory(dir=".") as folder:
        writer = Writer(comm, Path(folder), keep=1)
        for step in range(ROUNDS):
            start = time.perf_counter()
            arrays = snapshot.arrays({"flow": 1.0})
            writer.submit(step, arrays, snapshot.attributes(made.flow.attributes()))
            waits.append(time.perf_counter() - start)
            writer.settle()
            whole.append(time.perf_counter() - start)
        size = max(path.stat().st_size for path in Path(folder).glob("state-*.h5"))
    wait, done = statistics.median(waits), statistics.median(whole)
    share = 100 * done / c.output.every_seconds
    print(f"| {count} | {size / (count + 2000):.0f} | {wait:.3f} | {done:.3f} | {share:.3f} % |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
