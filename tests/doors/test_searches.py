"""A search of a user's, with a memory: run under components and potentials, resumed with what it remembers; and ours."""

import numpy as np
import pytest
from dropping import begin, holds
from facts import telling

import mpiflow as library
from mpiflow import config
from mpiflow.doors.raised import in_one_line
from mpiflow.errors import InputError
from mpiflow.flows.flow import _taken
from mpiflow.searches import Search
from mpiflow.searches.euler import Euler

MOMENTUM = '''
from mpiflow.searches import Search, descended


class Momentum(Search):
    """v <- beta v + direction; theta <- theta - dt v."""

    beta: float = 0.5
    remembers = ("velocity",)

    def step(self, flow, dt):
        velocity = self.beta * flow.memory["velocity"] + flow.direction()
        flow.memory["velocity"] = velocity
        return descended(flow, velocity, dt)
'''

RUN = """
[points]
train = 150
test = 60
[kernel]
{kernel}
[flow]
steps = 4
dt = {dt}
{more}
[flow.search]
name = "mine.py:Momentum"
beta = {beta}
"""
MOVED = {
    "components": ('name = "gaussian"\nwidth = 0.4', 0.02, 'normalisation = "row"'),
    "potentials": ('name = "kaehler"\ndegree = 4', 0.2, ""),
}


def written(folder, moved, beta=0.5):
    kernel, dt, more = MOVED[moved]
    (folder / "mine.py").write_text(MOMENTUM)
    (folder / "run.toml").write_text(RUN.format(kernel=kernel, dt=dt, more=more, beta=beta))
    return folder / "run.toml"


NEWTON = """
[points]
train = 300
test = 100
[kernel]
name = "kaehler"
degree = 6
[flow]
steps = 5
dt = 1.0
search = "gauss-newton"
"""


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """A run file of each search, begun on two ranks."""
    paths = {moved: written(tmp_path_factory.mktemp(moved), moved) for moved in MOVED}
    paths["newton"] = tmp_path_factory.mktemp("newton") / "run.toml"
    paths["newton"].write_text(NEWTON)
    begin(*paths.values())
    return paths


@pytest.mark.parametrize("moved", MOVED)
def test_a_dropped_search_is_resumed_with_its_memory(moved, begun, tmp_path):
    momentum = holds(begun[moved])
    plain = library.run(written(tmp_path, moved, beta=0.0))
    assert momentum.history["history/loss"][-1] < plain.history["history/loss"][-1]


def test_gauss_newton_is_a_search_of_the_run_file(begun):
    model = holds(begun["newton"])
    losses = model.history["history/loss"]
    # Quadratically convergent, then at rest.
    assert losses[3] < 1e-3 * losses[0] and losses[-1] == pytest.approx(losses[-2], rel=1e-6)
    assert np.all(np.diff(losses) <= 1e-9 * losses[:-1])


REFUSED = {
    "a network": (
        {"network": {"kind": "additive"}, "flow": {"dt": 0.1, "search": "euler"}},
        'flow.search = "euler"',
        "network",
        "adam, sgd",
    ),
    "components": (
        {"kernel": {"name": "gaussian", "width": 0.3}, "flow": {"dt": 0.1, "search": "gauss-newton"}},
        'flow.search = "gauss-newton"',
        "gaussian",
        "euler, exact",
    ),
    "generic": (
        {"kernel": {"name": "kaehler", "features": "generic"}, "flow": {"dt": 1.0, "search": "gauss-newton"}},
        "flow.search.inner",
        "generic",
        "inner = 60",
    ),
    "unknown": (
        {"kernel": {"name": "kaehler"}, "flow": {"dt": 1.0, "search": "newton"}},
        'flow.search = "newton"',
        "adam, donaldson, euler, exact, gauss-newton",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_search_that_does_not_suit_is_refused_with_those_that_do(case):
    table, *facts = REFUSED[case]
    with telling(InputError, *facts):
        config.check(table, "x.toml")


@pytest.mark.parametrize("found", [None, 0.1, "ab", (0.1,), (0.1, 0, 0), (None, 0), (0.1, 0.5)], ids=str)
def test_what_a_step_returns_is_the_dt_and_the_halvings(found):
    assert _taken(Euler(), (np.float32(0.5), np.int64(2))) == (0.5, 2)
    with telling(InputError, 'flow.search = "euler"', repr(found)):
        _taken(Euler(), found)


def test_a_search_without_a_step_is_one_line():
    with telling(InputError, "flow.search", "step(self, flow, dt)"), in_one_line():
        Search().step(None, 0.1)
