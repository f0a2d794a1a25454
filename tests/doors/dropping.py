"""What every door holds of a class that is dropped in: a run, resumed on other ranks, planned, evaluated."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

import mpiflow as library
from jobs import BIN, result
from mpiflow import config
from mpiflow.plan import report
from mpiflow.plan.fit import Limits
from mpiflow.plan.machine import Machine

BEGIN = """
import sys
from pathlib import Path
from mpiflow import config
from mpiflow.comm import world
from mpiflow.job import job
from mpiflow.screen import Screen
comm = world()
for path in map(Path, sys.argv[1:]):
    job.run(comm, config.read(path, ["flow.steps=2"]), path.parent / "parts", Screen(comm.rank, True))
"""


def begin(*paths: Path) -> None:
    """The first two steps of each of these run files, beside it in `parts`, on two ranks, which all of them share."""
    done = subprocess.run(
        [BIN / "mpiexec", "-n", "2", sys.executable, "-c", BEGIN, *paths],
        cwd=paths[0].parent,
        env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MPIEXEC_TIMEOUT": "300"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def holds(path):
    """Run a file that was begun on two ranks to its end on one, and from its beginning: the same bits. Returns the open run."""
    settings, whole, parts = config.read(path), path.parent / "whole", path.parent / "parts"
    model = library.run(settings, parts)
    library.run(settings, whole)
    assert result(parts) == result(whole)
    assert report.facts(settings, path, 2, Limits(64, 4), Machine())["peak_bytes"] > 0
    rows = model.evaluate(60, 5)
    assert rows[0].gain > 0.5 and np.isfinite([row.sigma for row in rows]).all()
    return model
