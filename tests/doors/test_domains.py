"""Nothing outside the geometry reads a chart, or asks a manifold for more than a domain has: one that hides the rest runs."""

import inspect

import h5py
import numpy as np
import pytest
from house import with_file

from jobs import mpiflow, result
from mpiflow.geometry.domain import Domain
from mpiflow.geometry.hypersurface import Hypersurface

#: The Fermat quartic under another name, behind a wall that only the verbs of a domain pass. Its charts are three
#: numbers, and its weights are in another unit, which no metric may feel.
HIDDEN = """
import numpy as np

from mpiflow.geometry.domain import Domain, Points
from mpiflow.geometry.families import Family
from mpiflow.geometry.families.fermat import Fermat

PLAIN = ("coordinates", "dimension", "volume", "points_a_cut", "chart_count", "symmetry", "scaled", "off", "embedded")


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


@pytest.mark.parametrize("kind", RUNS)
def test_a_manifold_that_is_a_domain_and_no_more_runs_with_the_same_bits(kind, tmp_path):
    _, house = with_file(tmp_path, "geometry/families/walled.py", HIDDEN)
    plain, hidden, more = RUNS[kind]
    found = []
    for manifold, chart in (("family = 'fermat'\nambient = 3", plain), ("family = 'walled'", hidden)):
        path, folder = tmp_path / f"{len(found)}.toml", tmp_path / f"{len(found)}"
        path.write_text(RUN.format(manifold=manifold, chart=chart, more=more))
        done = mpiflow("run", path, "-o", folder, env=house)
        assert done.returncode == 0, done.stdout + done.stderr
        found.append(result(folder))
    charts, weights = ([each.pop(f"points/{name}") for each in found] for name in ("chart", "weight"))
    assert (4 * np.frombuffer(weights[0]) == np.frombuffer(weights[1])).all()
    assert found[0] == found[1] and 2 * len(charts[1]) == 3 * len(charts[0])
    with h5py.File(sorted((tmp_path / "1").glob("state-*.h5"))[-1]) as state:
        assert state["points/chart"].shape == (390, 3)
    told = mpiflow("evaluate", tmp_path / "1", "--points", 40, "--seed", 3, env=house)
    assert told.returncode == 0, told.stdout + told.stderr


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
    with pytest.raises(AttributeError, match="no verb of a domain"):
        surface.gradient(np.ones((1, 4)))
