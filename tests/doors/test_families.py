"""A family of manifolds of a user's file: run, resumed on other ranks, planned, evaluated; its symmetry read off."""

from pathlib import Path

import numpy as np
import pytest
from dropping import begin, holds
from facts import telling

from jobs import mpiflow
from mpiflow import config
from mpiflow.belief import loader
from mpiflow.errors import InputError
from mpiflow.geometry.symmetry import Symmetry
from mpiflow.kernels.growth import invariants

ROOT = Path(__file__).parents[2]
QUARTICS = '''
from collections import Counter
from itertools import product

from mpiflow.geometry.families import Family, Hypersurface


class Quartics(Family):
    """sum z_i^4 - (l/3) (sum z_i^2)^2 in P^3, singular at l = .75, 1, 1.5, 3 (Cefalu)."""

    l: float = 0.5

    ambient = 3

    def equation(self):
        terms = Counter()
        for i, j in product(range(4), repeat=2):
            terms[tuple(2 * (k == i) + 2 * (k == j) for k in range(4))] += (i == j) - self.l / 3
        return Hypersurface(list(terms), list(terms.values()))
'''

RUN = """
[manifold]
family = "mine.py:Quartics"
{keys}
[points]
train = 700
test = 100
chart = {chart}
[kernel]
name = "kaehler"
features = "{features}"
degree = {degree}
[flow]
steps = 4
dt = 0.4
"""


def written(folder, text=QUARTICS, keys="l = 0.5", features="invariant", degree=6, chart='"all"'):
    (folder / "mine.py").write_text(text)
    path = folder / "run.toml"
    path.write_text(RUN.format(keys=keys, features=features, degree=degree, chart=chart))
    return path


DEGREES = {"generic": 2, "invariant": 6}


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """A run file with features of each kind, begun on two ranks."""
    paths = {name: written(tmp_path_factory.mktemp(name), features=name, degree=DEGREES[name]) for name in DEGREES}
    begin(*paths.values())
    return paths


@pytest.mark.parametrize(("features", "gain"), [("generic", 2), ("invariant", 20)])
def test_a_dropped_family_runs_from_its_run_file_to_an_evaluation(features, gain, begun):
    path = begun[features]
    model = holds(path)
    assert model.evaluate(100, 5)[1].gain > gain
    if features == "generic":
        assert model.curvature(2000, 5).euler == pytest.approx(24, abs=1.5)
        assert all(sound for _, sound, _ in loader.verify(path.parent / "parts"))
        shown = mpiflow("info", path.parent / "parts")
        assert shown.returncode == 0 and "Counter()" in shown.stdout


REFUSED = {
    ("manifold.ambient", "family, l"): {"keys": "ambient = 3"},
    ("points.chart = [0, 4]", "0..3"): {"chart": "[0, 4]"},
    ("points.chart = [0, 1, 2]", "0..3"): {"chart": "[0, 1, 2]"},
    ("manifold.family", "Quartics", "Family"): {"text": "x = 1"},
    ("manifold.family", "equation(self)"): {"text": QUARTICS.replace("def equation", "def equations")},
    ("manifold.family", "ZeroDivisionError", "(line 18)"): {"text": QUARTICS.replace("self.l / 3", "1 / 0")},
    ("manifold.monomials = [3, 0, 0, 0]", "P^3", 4): {"text": QUARTICS.replace("2 * (k == j)", "(k == j)")},
    ("manifold.family", "ambient = 4", 5): {"text": QUARTICS.replace("ambient = 3", "ambient = 4")},
    ("manifold: Q",): {"keys": "l = 1.5"},
}


@pytest.mark.parametrize("facts", REFUSED, ids=str)
def test_what_is_no_manifold_is_one_line(facts, tmp_path):
    with telling(InputError, *facts):
        config.read(written(tmp_path, **REFUSED[facts]))


@pytest.mark.parametrize("singular", [0.75, 1.0, 1.5, 3.0])
def test_all_singular_quartics_are_found(singular, tmp_path):
    with telling(InputError, f'manifold.family = "{tmp_path}/mine.py:Quartics"', "manifold: Q"):
        config.read(written(tmp_path, keys=f"l = {singular}"))
    with pytest.raises(InputError) as refusal:
        of_the_job(singular)
    assert refusal.value.exit_code == 2 and str(refusal.value).startswith("manifold: ")


@pytest.mark.parametrize("regular", [0.5, 2.0])
def test_the_regular_quartics_of_the_job_are_taken(regular):
    assert of_the_job(regular).symmetry == Symmetry(4, 2, (0,))


def of_the_job(size):
    """The quartic of l = size of a job, which writes its monomials out."""
    changed = f"manifold.coefficients={[6 - 2 * size] * 4 + [-4 * size] * 6}"
    return config.read(ROOT / "jobs/manifolds/quartic.toml", [changed]).surface()


def test_its_symmetry_is_read_off_its_equation(tmp_path):
    surface = config.read(written(tmp_path)).surface()
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
