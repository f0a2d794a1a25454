"""Main jobs as their users start them: mpiexec, the mpiflow command, a run file."""

import os
import subprocess
import sys
from pathlib import Path

import h5py

BIN = Path(sys.executable).parent
JOBS = Path(__file__).parents[1] / "jobs"

#: A whole run in about a second: three uneven mini-batches merged into three clusters.
SMALL = """
[run]
name = "small"
[points]
train = 330
test = 120
[clusters]
count = 3
batch = 130
[kernel]
name = "gaussian"
width = 0.4
[flow]
steps = 12
dt = 0.03
normalisation = "row"
coupling = "{coupling}"
[output]
every_steps = 4
keep = 20
"""


def mpiflow(*words, ranks=0, timeout=120, env=None):
    """Run one mpiflow command, under mpiexec on so many ranks; returns the finished process (output as text)."""
    launcher = [str(BIN / "mpiexec"), "-n", str(ranks)] if ranks else []
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PMI_", "SLURM_", "HYDRA"))}
    clean |= {"OMP_NUM_THREADS": "1", "MPIEXEC_TIMEOUT": str(timeout)} | (env or {})
    command = [*launcher, str(BIN / "mpiflow"), *map(str, words)]
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout + 10, env=clean, check=False
    )


def small(folder, coupling="all"):
    """Write the small run file; returns its path."""
    path = Path(folder) / "small.toml"
    path.write_text(SMALL.format(coupling=coupling))
    return path


def result(folder):
    """All that must not depend on ranks, restarts or the clock, of the newest state: dataset name to bytes."""
    newest = sorted(Path(folder).glob("state-*.h5"))[-1]
    with h5py.File(newest) as state:
        found = {}
        state.visititems(lambda name, item: found.update({name: item}) if isinstance(item, h5py.Dataset) else None)
        kept = {name: item[()].tobytes() for name, item in found.items() if not name.startswith("timing/")}
        return {name: kept[name] for name in kept if not found[name].is_scale}
