"""A command loads what its run file names and no more: every rank of a job reads it from one file system."""

import subprocess
import sys

import pytest

LOAD = """
import sys
from mpiflow import config
from mpiflow.job import job
config.loads(sys.argv[1])
print(*{name.partition(".")[0] for name in sys.modules} & {"scipy", "numba", "fastcluster", "jax", "matplotlib"})
"""


@pytest.mark.parametrize(("kernel", "loaded"), [("gaussian", set()), ("kaehler", {"numba", "scipy"})])
def test_a_run_file_loads_what_it_names(kernel, loaded):
    width = "width = 0.4\n" if kernel == "gaussian" else ""
    text = f'[kernel]\nname = "{kernel}"\n{width}[flow]\ndt = 0.1\n'
    done = subprocess.run([sys.executable, "-c", LOAD, text], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == loaded
