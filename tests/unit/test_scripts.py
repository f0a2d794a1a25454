"""The postprocessing scripts read states with h5py alone: they run without mpiflow."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from jobs import mpiflow, small

SCRIPTS = Path(__file__).parents[2] / "scripts"

#: An import of mpiflow fails for whoever starts with this.
BLOCK = "import sys; sys.modules['mpiflow'] = None; sys.modules['mpi4py'] = None\n"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scripts")
    assert mpiflow("run", small(folder), "-o", folder / "run", "--set", "flow.steps=3").returncode == 0
    return folder / "run"


def script(name, *words):
    code = (
        BLOCK
        + f"sys.argv = {[name, *map(str, words)]!r}\nimport runpy; runpy.run_path({str(SCRIPTS / name)!r}, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_loss_curves_are_drawn(run, tmp_path):
    script("loss-curves.py", run, run, "-o", tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_the_table_has_a_line_for_each_run(run):
    lines = script("summary-table.py", run, run.parent).splitlines()
    assert len(lines) == 3 and "330+120" in lines[1] and "100.00%" in lines[1] and "no state" in lines[2]


def test_npz_holds_what_the_state_holds(run, tmp_path):
    state = sorted(run.glob("state-*.h5"))[-1]
    script("to-npz.py", state, tmp_path / "state.npz")
    with np.load(tmp_path / "state.npz", allow_pickle=False) as archive:
        assert archive["metric_current"].shape == (450, 3, 3)
        assert archive["history_step"].tolist() == [0, 1, 2, 3]
        assert str(archive["attribute_name"]) == "small"
