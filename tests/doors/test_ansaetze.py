"""An ansatz of a user's: run, resumed on other ranks, planned, evaluated; and what does not suit is refused."""

import numpy as np
import pytest
from dropping import begin, holds
from facts import telling

import mpiflow
from mpiflow import config
from mpiflow.errors import InputError

ROOT = '''
import numpy as np
from mpiflow.ansatz import Ansatz


class Root(Ansatz):
    """phi = ((1 + F)^power - 1) / (k power): the logarithm at power = 0, F / k at 1."""

    power: float = 0.5

    def derivatives(self, t, k, order):
        one = np.where(1 + t > 0, 1 + t, np.nan)
        factors = np.cumprod([1.0] + [self.power - n for n in range(order)]) / (k * self.power)
        return [f * one ** (self.power - n) - (n == 0) / (k * self.power) for n, f in enumerate(factors)]
'''
RUN = """
[points]
train = 200
test = 60
[kernel]
name = "kaehler"
degree = 6
potential = { name = "mine.py:Root", power = 0.25 }
[flow]
steps = 4
dt = 1.0
search = "gauss-newton"
"""


@pytest.fixture
def path(tmp_path):
    (tmp_path / "mine.py").write_text(ROOT)
    (tmp_path / "run.toml").write_text(RUN)
    return tmp_path / "run.toml"


def test_a_dropped_ansatz_is_flowed(path):
    begin(path)
    model = holds(path)
    assert model.config.kernel.potential.power == 0.25
    losses = model.history["history/loss"]
    assert losses[-1] < 1e-2 * losses[0]
    assert np.isfinite(model.potential(np.array([[1, -1, 0, 0, 0]]))).all()


@pytest.mark.parametrize(
    ("old", "new", "facts"),
    [
        ("self.power - n)", "self.power - n - 1)", (0.3056, -0.9168)),
        ("- (n == 0)", "+ (n == 0)", ("f(0) = 1", "f'(0) = 0.125")),
    ],
)
def test_what_contradicts_itself_is_one_line(path, old, new, facts):
    text = (path.parent / "mine.py").read_text()
    (path.parent / "mine.py").write_text(text.replace(old, new))
    with telling(InputError, f'kernel.potential = "{path.parent}/mine.py:Root"', *facts):
        config.read(path)


LADDER = """
[run]
inner = "float32"
[manifold]
family = "random"
ambient = 3
seed = 5
[points]
train = 600
test = 60
chart = "all"
[kernel]
name = "kaehler"
features = "generic"
potential = "log"
degree = 3
ladder = [1, 3]
rung = 2
ridge = 1e-3
prior = "smooth"
[flow]
steps = 4
dt = 1.0
search = { name = "gauss-newton", inner = 6 }
"""


def test_a_ladder_is_resumed_where_the_next_rung_begins(tmp_path):
    """The state of step 2 holds functions of degree 1 for a run of degree 3."""
    path = tmp_path / "run.toml"
    path.write_text(LADDER)
    begin(path)
    lower = mpiflow.open(tmp_path / "parts")
    assert lower.attributes["features"] == 4**2
    model = holds(path)
    assert model.attributes["features"] == 20**2
    assert model.history["history/degree"].tolist() == [1, 1, 1, 3, 3]
    assert np.diff(model.history["history/sigma_train"]).max() < 0
