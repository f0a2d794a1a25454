"""Factors of a kernel on a torus of a user's own file: run, stopped and resumed, kept in the state; refused where wrong."""

import numpy as np
import pytest
from facts import telling

from mpiflow import config
from mpiflow.belief import loader
from mpiflow.comm import Comm
from mpiflow.doors.places import digest
from mpiflow.errors import InputError
from mpiflow.job.job import run
from mpiflow.job.on_grid import OnGrid
from mpiflow.screen import Screen

HEAD = (
    "import numpy as np\nfrom mpiflow.grids.beside import Beside\n\n\nclass Mine(Beside):\n    breadth: float = 1.0\n"
)
BELL = HEAD + (
    "\n    def alpha(self, x, y):\n"
    "        return np.exp(sum(np.cos(a - b) - 1 for a, b in zip(x, y)) / self.breadth**2)\n"
)
FLOW = """
[manifold]
family = "flat-torus"
points = 12
[kernel]
name = "grid"
width = 0.6
beside = { name = "mine.py:Mine", breadth = 2.0 }
[flow]
dt = 0.05
steps = 3
"""


def written(folder, text=BELL):
    (folder / "mine.py").write_text(text)
    (folder / "x.toml").write_text(FLOW)
    return folder / "x.toml"


def flow(path):
    return OnGrid.begun(Comm(), config.read(path)).flow


def test_it_stops_resumes_and_takes_its_own_file_alone(tmp_path):
    path, folder = written(tmp_path), tmp_path / "run"
    folder.mkdir()
    (folder / "STOP").write_text("2")
    for code in (75, 0):
        assert run(Comm(), config.read(path), folder, Screen(0, quiet=True)) == code
    state, alone = loader.latest(folder, pytest.fail), flow(path)
    for _ in range(3):
        alone.step()
    np.testing.assert_array_equal(state.arrays["method/metric"], np.moveaxis(alone.theta, 0, -1))
    assert state.attributes["beside_text"] == BELL
    written(tmp_path, BELL + "\n")
    with telling(InputError, f'kernel.beside = "{tmp_path}/mine.py:Mine"', digest(BELL)[:16], digest(BELL + "\n")[:16]):
        run(Comm(), config.read(path, ["flow.steps=4"]), folder, Screen(0, quiet=True))


WRONG = {
    ("h", "x + 2 pi", 6.28): "def h(self, x, volume): return 1 + x[0]",
    ("h", "nan"): "def h(self, x, volume): return np.nan * x[0]",
    ("h", "float64[3]", "float64[16]"): "def h(self, x, volume): return np.ones(3)",
    ("density", -1): "def density(self, x, volume): return np.cos(x[0])",
    ("alpha(x, y)", "alpha(y, x)", 0.2): "def alpha(self, x, y): return 1 + 0.1 * np.sin(x[0] - y[0])",
    ("alpha", -16, 16): "def alpha(self, x, y): return -1.0",
    ("AttributeError", "'exq'", "(line 8)"): "def alpha(self, x, y): return np.exq(x[0])",
}


@pytest.mark.parametrize("facts", WRONG, ids=str)
def test_what_is_no_factor_is_one_line(facts, tmp_path):
    with telling(InputError, f'kernel.beside = "{tmp_path}/mine.py:Mine"', *facts):
        config.read(written(tmp_path, f"{HEAD}\n    {WRONG[facts]}\n"))


def test_one_of_three_dimensions_is_refused_on_a_surface(tmp_path):
    path = written(tmp_path, f"{HEAD}\n    def h(self, x, volume): return 2 + np.cos(x[2])\n")
    with telling(InputError, f'kernel.beside = "{tmp_path}/mine.py:Mine"', "T^2", "IndexError", "(line 8)"):
        run(Comm(), config.read(path), tmp_path / "run", Screen(0, quiet=True))
    assert not (tmp_path / "run").exists()


def test_a_kernel_that_moves_nothing_leaves_the_metric(tmp_path):
    found = flow(written(tmp_path, f"{HEAD}\n    def h(self, x, volume): return 0.0\n"))
    before = found.theta
    found.step()
    np.testing.assert_array_equal(found.theta, before)
