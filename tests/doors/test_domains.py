"""Nothing outside the geometry reads a chart, or asks a manifold for more than a domain has: one that hides the rest runs."""

import inspect
import os
import subprocess
import sys

import h5py
import numpy as np
import pytest
from facts import telling
from house import with_file

from jobs import result
from mpiflow.geometry.domain import Domain
from mpiflow.geometry.hypersurface import Hypersurface

#: The Fermat quartic under another name, behind a wall that only the verbs of a domain pass. Its charts are three
#: numbers, and its weights are in another unit, which no metric may feel.
HIDDEN = """
import numpy as np

from mpiflow.geometry.domain import Domain, Points
from mpiflow.geometry.families import Family
from mpiflow.geometry.families.fermat import Fermat

PLAIN = ("coordinates", "dimension", "volume", "points_a_cut", "cuts", "chart_count", "symmetry", "scaled", "off", "embedded")


def coded(chart):
    return np.stack([90 - chart[:, 0], 7 * chart[:, 1], chart.sum(1)], axis=1).astype(np.int8)


def plain(code):
    assert code.shape[1] == 3 and (90 - code[:, 0] + code[:, 1] // 7 == code[:, 2]).all()
    return np.stack([90 - code[:, 0], code[:, 1] // 7], axis=1).astype(np.int8)


class Hidden:
    def __init__(self, inner):
        self._inner = inner

    def __getattr__(self, name):
        if name in PLAIN:
            return getattr(self._inner, name)
        if name == "form":
            return lambda points: points.weight / 4
        if name in ("chart_of", "second_chart_of"):
            return lambda z: coded(getattr(self._inner, name)(z))
        if not name.startswith("_") and hasattr(Domain, name):
            return lambda z, chart, *more: getattr(self._inner, name)(z, plain(chart), *self._rest(name, more))
        raise AttributeError(f"{name} is no verb of a domain")

    def _rest(self, name, more):
        return [plain(more[0])] if name == "transition" else more

    def draw(self, generator, cuts, chart=None):
        for p in self._inner.draw(generator, cuts, None if chart is None else plain(np.array([chart]))[0]):
            yield Points(p.z, coded(p.chart), 4 * p.weight, p.omega2)

    def described(self, z, chart=None):
        p = self._inner.described(z, None if chart is None else plain(chart))
        return Points(p.z, coded(p.chart), 4 * p.weight, p.omega2)


class Walled(Family):
    name = "walled"
    ambient = 3
    smooth = True

    def equation(self):
        return Hidden(Fermat(ambient=3).equation())

    def check_chart(self, chart):
        plain(np.array([chart]))

    def complaints(self, z, chart):
        if chart.shape[1] != 3:
            yield "points/chart is not of three numbers"
"""

RUN = """
[run]
name = "walled"
[manifold]
{manifold}
[points]
train = 330
test = 60
chart = {chart}
{more}
[output]
keep = 20
"""

FLOW = "[flow]\nsteps = 3\ndt = 0.03\n"
GAUSS = "[kernel]\nname = 'gaussian'\nwidth = 0.4\n" + FLOW + "coupling = 'halo'\n[clusters]\ncount = 2\nbatch = 170\n"
RUNS = {
    "components": ("[2, 1]", "[88, 7, 3]", "noise = 0.01\n" + GAUSS),
    "potential": ('"all"', '"all"', "[kernel]\nname = 'kaehler'\ndegree = 4\n" + FLOW),
    "network": (
        '"all"',
        '"all"',
        "[network]\nkind = 'multiplicative'\nkaehler = 1\ntransition = 1\nwidth = 4\n" + FLOW,
    ),
}


#: All runs, in one process of the house with the wall; of the walled one an evaluation, too.
PROGRAM = """
import sys
import mpiflow
for run in sys.argv[1:]:
    model = mpiflow.run(run + ".toml", run)
    if run.endswith("hidden"):
        assert mpiflow.open(run).evaluate(40, 3) == model.evaluate(40, 3)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder with the finished runs of all kinds, plain and hidden."""
    folder = tmp_path_factory.mktemp("domains")
    _, house = with_file(folder, "geometry/families/walled.py", HIDDEN)
    runs = []
    for kind, (plain, hidden, more) in RUNS.items():
        for name, manifold, chart in (
            ("plain", "family = 'fermat'\nambient = 3", plain),
            ("hidden", "family = 'walled'", hidden),
        ):
            runs.append(folder / f"{kind}-{name}")
            runs[-1].with_suffix(".toml").write_text(RUN.format(manifold=manifold, chart=chart, more=more))
    words = [sys.executable, "-c", PROGRAM, *map(str, runs)]
    # In a folder without another mpiflow, which would come first.
    done = subprocess.run(words, cwd=folder, env=os.environ | house, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.mark.parametrize("kind", RUNS)
def test_a_manifold_that_is_a_domain_and_no_more_runs_with_the_same_bits(kind, folder):
    found = [result(folder / f"{kind}-{name}") for name in ("plain", "hidden")]
    charts, weights = ([each.pop(f"points/{name}") for each in found] for name in ("chart", "weight"))
    assert (4 * np.frombuffer(weights[0]) == np.frombuffer(weights[1])).all()
    assert found[0] == found[1] and 2 * len(charts[1]) == 3 * len(charts[0])
    with h5py.File(sorted((folder / f"{kind}-hidden").glob("state-*.h5"))[-1]) as state:
        assert state["points/chart"].shape == (390, 3)


@pytest.mark.parametrize("name", [name for name in vars(Domain) | Domain.__annotations__ if not name.startswith("_")])
def test_a_hypersurface_is_a_domain(name):
    wanted, found = getattr(Domain, name, None), getattr(Hypersurface, name)
    if wanted is not None:
        assert _own(wanted) == _own(found)


def _own(verb):
    return [name for name in inspect.signature(verb).parameters if name not in ("self", "surface")]


def test_the_wall_holds():
    space = {}
    exec(HIDDEN, space)
    surface = space["Walled"]().domain()
    with telling(AttributeError, "gradient"):
        surface.gradient(np.ones((1, 4)))
