"""A family of manifolds that is one file more: run, resumed on other ranks, planned, evaluated; its symmetry read off."""

import sys

import numpy as np
import pytest
from house import with_file

import mpiflow as library
from jobs import mpiflow, result
from mpiflow import config
from mpiflow.errors import InputError
from mpiflow.geometry import families
from mpiflow.geometry.families import registry
from mpiflow.geometry.symmetry import Symmetry
from mpiflow.kernels.invariants import invariants

QUARTICS = '''
from collections import Counter
from itertools import product

from mpiflow.geometry.families import Family, Hypersurface


class Quartics(Family):
    """sum z_i^4 - (l/3) (sum z_i^2)^2 in P^3, singular at l = .75, 1, 1.5, 3 (Cefalu)."""

    l: float = 0.5

    name = "quartics"
    ambient = 3

    def equation(self):
        terms = Counter()
        for i, j in product(range(4), repeat=2):
            terms[tuple(2 * (k == i) + 2 * (k == j) for k in range(4))] += (i == j) - self.l / 3
        return Hypersurface(list(terms), list(terms.values()))
'''

RUN = """
[run]
name = "quartics"
[manifold]
family = "quartics"
l = 0.5
[points]
train = 700
test = 100
chart = "all"
[kernel]
name = "kaehler"
features = "{features}"
degree = {degree}
[flow]
steps = 4
dt = 0.4
[output]
keep = 20
"""


@pytest.fixture
def dropped(tmp_path, monkeypatch):
    """A house with the quartics, for this process and for those that it starts; returns the environment of those."""
    room, environment = with_file(tmp_path, "geometry/families/quartics.py", QUARTICS)
    monkeypatch.setattr(families, "__path__", [str(room)])
    registry.ROOM.known.cache_clear()
    yield environment
    sys.modules.pop("mpiflow.geometry.families.quartics", None)
    registry.ROOM.known.cache_clear()


@pytest.mark.parametrize(("features", "degree"), [("generic", 2), ("invariant", 6)])
def test_a_dropped_family_runs_from_its_run_file_to_an_evaluation(features, degree, dropped, tmp_path):
    path, whole, parts = tmp_path / "run.toml", tmp_path / "whole", tmp_path / "parts"
    path.write_text(RUN.format(features=features, degree=degree))
    done = mpiflow("run", path, "-o", whole, ranks=1, env=dropped)
    assert done.returncode == 0, done.stdout + done.stderr
    assert mpiflow("run", path, "-o", parts, "--set", "flow.steps=2", ranks=2, env=dropped).returncode == 0
    assert mpiflow("run", path, "-o", parts, ranks=1, env=dropped).returncode == 0
    assert result(parts) == result(whole)
    assert (plan := mpiflow("plan", path, "--ranks", 2, env=dropped)).returncode == 0, plan.stderr
    model = library.open(parts)
    assert model.config.manifold.name == "quartics"
    assert model.evaluate(100, 5)[1].gain > (2 if features == "generic" else 20)
    if features == "generic":
        assert model.curvature(2000, 5).euler == pytest.approx(24, abs=1.5)


def test_its_keys_are_its_own(dropped):
    told = {"kernel": {"name": "kaehler"}, "flow": {"dt": 0.1}}
    with pytest.raises(InputError, match=r"manifold\.ambient: unknown key; the valid ones here are family, l$"):
        config.check(told | {"manifold": {"family": "quartics", "ambient": 3}}, "x.toml")
    with pytest.raises(InputError, match=r"points\.chart = \[0, 4\]"):
        config.check(told | {"manifold": {"family": "quartics"}, "points": {"chart": [0, 4]}}, "x.toml")
    with pytest.raises(InputError, match="quartics"):
        config.check(told | {"manifold": {"family": "quartic"}}, "x.toml")
    for singular in (0.75, 1.0, 1.5, 3.0):
        with pytest.raises(InputError, match="singular"):
            config.check(told | {"manifold": {"family": "quartics", "l": singular}}, "x.toml").surface()


def test_its_symmetry_is_read_off_its_equation(dropped):
    surface = registry.kind("quartics")().domain()
    assert surface.symmetry == Symmetry(4, 2, (0,))
    z = np.concatenate([points.z for points in surface.draw(np.random.default_rng(1), 500)])
    features = invariants(surface.symmetry, 4, z)
    assert len(features) == surface.symmetry.count(4)
    values, rng = features.values(z[:50]), np.random.default_rng(2)
    turned = (z[:50] * rng.choice([-1, 1], 4))[:, rng.permutation(4)].conj()
    np.testing.assert_allclose(features.values(turned), values, atol=1e-10)
    assert np.abs(features.values(z[:50] * np.array([1j, 1, 1, 1])) - values).max() > 1e-2


def test_the_table_of_today_means_what_it_did():
    table = {"kernel": {"name": "kaehler"}, "flow": {"dt": 0.1}}
    assert config.check(table, "x.toml").model_dump()["manifold"] == {"family": "fermat", "ambient": 4}
    for keys in (
        {"family": "dwork", "ambient": 3, "psi": 0.5},
        {"family": "dwork", "ambient": 4, "psi": (0.5, 0.1)},
        {"family": "random", "ambient": 4, "seed": 3},
        {"family": "polynomial", "ambient": 2, "monomials": [[3, 0, 0]], "coefficients": [1.0]},
    ):
        checked = config.check(table | {"manifold": keys}, "x.toml")
        assert checked.model_dump()["manifold"] == keys
        assert config.loads(checked.text()) == checked
