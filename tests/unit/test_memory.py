"""Memory grows with the points, never with their pairs: measured in processes of their own."""

import os
import subprocess
import sys

import numpy as np

from jobs import JOBS
from mpiflow.comm import Comm
from mpiflow.coupling import Coupling
from mpiflow.kernels.relu import ReluNTK
from mpiflow.ranks.shards import Layout

PROGRAM = """
import sys
from pathlib import Path
import matplotlib.pyplot, scipy.linalg, sklearn
from mpiflow import config
from mpiflow.job import evaluate, report, restart
from mpiflow.comm import Comm
from mpiflow.job.job import run
from mpiflow.screen import Screen
from mpiflow.plan.process import peak
from mpiflow.state import commit

imported = peak()
settings = ["points.train=" + sys.argv[1], "points.test=200", "flow.steps=1", "engine.mode=streamed", "kernel.depth=1"]
run(Comm(), config.read(sys.argv[2], settings), Path(sys.argv[3]), Screen(quiet=True))
print(peak() - imported)
"""


def grown(count, job, folder):
    """Bytes of a whole run on one rank over the interpreter's own after imports."""
    command = [sys.executable, "-c", PROGRAM, str(count), str(job), str(folder)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=120, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    return int(done.stdout.split()[-1])


def test_the_exact_flow_needs_memory_for_points_alone(tmp_path):
    small, large = (grown(count, JOBS / "exact-100k.toml", tmp_path / str(count)) for count in (2000, 6000))
    # A single row of kernel entries a point would be 32 kB; 1e5 points may take 300 MB with all that is fixed.
    assert (large - small) / 4000 < 6000
    assert large < 200e6


def test_a_sum_that_is_used_once_keeps_no_tiles_and_has_the_same_bits():
    rng = np.random.default_rng(0)
    z, v = rng.normal(size=(300, 5, 2)).view(complex)[..., 0], rng.normal(size=(300, 9))
    layout = Layout(Comm(), np.zeros(300, int), 1, [1.0])
    coupling = Coupling(ReluNTK(1, 1.0, 0.0), layout, z, [np.arange(300)], mode="resident", precision="float32")
    kept, once = coupling.onto(layout, z), coupling.onto(layout, z, once=True)
    assert kept.bytes - once.bytes >= 300 * 300 * 4
    np.testing.assert_array_equal(kept.apply(v), once.apply(v))
