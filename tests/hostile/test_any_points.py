"""Any point, any count, any seed: scales from 1e-300 to 1e300, none at all, what are no points, and honest numbers."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from facts import telling, tells

import mpiflow as package
from jobs import mpiflow, small
from mpiflow import measures, sampling
from mpiflow.comm import Comm
from mpiflow.config import read
from mpiflow.errors import InputError
from mpiflow.job.evaluate import plain
from mpiflow.job.job import run
from mpiflow.job.report import curvature_lines
from mpiflow.screen import Screen

KAEHLER = """
[points]
train = 200
test = 40
[kernel]
name = "kaehler"
features = "{features}"
degree = {degree}
ridge = 1e-6
[manifold]
ambient = 3
[flow]
steps = 2
dt = 1
"""
NETWORK = """
[manifold]
ambient = 3
[points]
train = 128
test = 40
[network]
kind = "{kind}"
width = 8
depth = 1
batch = 64
[flow]
steps = 1
dt = 1e-3
"""
RUNS = {
    "invariant": KAEHLER.format(features="invariant", degree=4),
    "generic": KAEHLER.format(features="generic", degree=2),
    "multiplicative": NETWORK.format(kind="multiplicative"),
    "potential": NETWORK.format(kind="potential"),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The folder of a short run of each kind, made when it is first asked for."""

    @cache
    def made(kind):
        folder = tmp_path_factory.mktemp(kind)
        path = small(folder)
        if kind != "component":
            path.write_text(RUNS[kind])
        if "network" in path.read_text():
            # A network that has not learnt yet is a function too, and compiles in half the time.
            (folder / "run").mkdir()
            (folder / "run" / "STOP").touch()
        assert run(Comm(), read(path, []), folder / "run", Screen(0, quiet=True)) in (0, 75)
        return folder / "run"

    return made


@pytest.fixture(scope="module", params=["component", *RUNS])
def model(request, runs):
    """A short run of each kind, as a function."""
    if request.param in ("multiplicative", "potential"):
        pytest.importorskip("jax")
    return package.open(runs(request.param))


def asks(model):
    """All that a model tells of points."""
    names = ["metric", "eta", "potential", "ricci"] if model.has_potential else ["metric", "eta"]
    return [getattr(model, name) for name in names]


def points(model, count=8):
    return sampling.sample(Comm(), model.surface, count, 5, sampling.TEST, model.config.points.chart)[1].z


def test_the_scale_and_phase_of_each_point_do_not_matter(model):
    z = points(model)
    scale = np.geomspace(1e-300, 1e300, len(z))[:, None] * np.exp(1j * np.arange(len(z)))[:, None]
    for ask in asks(model):
        np.testing.assert_allclose(ask(z * scale), ask(z), rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(ask(z * 2.0**-900), ask(z))


def test_no_points_give_empty_results(model):
    z = points(model)
    for ask in asks(model):
        usual = ask(z)
        for none in (np.zeros((0, z.shape[1])), np.zeros((0, z.shape[1]), np.complex64), []):
            found = ask(none)
            assert found.shape == (0, *usual.shape[1:]) and found.dtype == usual.dtype


def _with_a_zero(z):
    z = z.copy()
    z[3] = 0
    return z


#: name, what is made of good points (N, n+1), facts in the refusal, of {shape} and {n} coordinates.
POINTS = [
    ("a zero among points", _with_a_zero, ("point 3", "z = 0")),
    ("all zeros, real", lambda z: np.zeros(z.shape), ("point 0", "z = 0")),
    ("integer zeros", lambda z: np.zeros(z.shape, int), ("point 0", "z = 0")),
    ("not a number", lambda z: np.full_like(z, np.nan), ("{shape}", "(N, {n})")),
    ("infinite", lambda z: np.full_like(z, np.inf), ("{shape}", "(N, {n})")),
    ("too few coordinates", lambda z: z[:, :2], ("(8, 2)", "(N, {n})")),
    ("too many axes", lambda z: z[None], ("(1, 8, {n})", "(N, {n})")),
    ("a number", lambda z: 3.0, ("()", "(N, {n})")),
    ("a name", lambda z: "points.npy", ("str", "<U10")),
    ("bytes", lambda z: b"1234", ("bytes", "|S4")),
    ("numbers as text", lambda z: [["1"] * z.shape[1]], ("list", "<U1")),
    ("nothing", lambda z: None, ("()", "(N, {n})")),
    ("objects", lambda z: np.array([[object()] * z.shape[1]]), ("ndarray", "(N, {n})")),
    ("a dict", lambda z: {"z": z}, ("dict", "(N, {n})")),
    ("a ragged list", lambda z: [[1], [1, 2]], ("list", "(N, {n})")),
    ("dates", lambda z: np.zeros(z.shape, "M8[s]"), ("ndarray", "datetime64[s]")),
    ("records", lambda z: np.zeros(3, [("a", float)]), ("ndarray", "('a', '<f8')")),
    ("masked values", lambda z: np.ma.masked_array(z, z.real > 0), ("MaskedArray", "(N, {n})")),
    ("off the surface", lambda z: z + 0.1, ("1e-06",)),
    ("so small that digits are gone", lambda z: z * 1e-320, ("1e-06",)),
]


@pytest.mark.parametrize("made, facts", [row[1:] for row in POINTS], ids=[row[0] for row in POINTS])
def test_what_are_no_points_is_refused_by_all_alike(model, made, facts):
    z = points(model)
    told = set()
    for ask in asks(model):
        with pytest.raises(InputError) as refusal:
            ask(made(z))
        told.add(str(refusal.value))
    assert len(told) == 1
    tells(told.pop(), *(fact.format(shape=z.shape, n=z.shape[1]) for fact in facts))


#: Forms of good points that work.
FORMS = {
    "list": lambda z: z.tolist(),
    "objects": lambda z: z.astype(object),
    "fortran": np.asfortranarray,
    "backwards": lambda z: z[::-1][::-1],
    "clongdouble": lambda z: z.astype(np.clongdouble),
    "big-endian": lambda z: z.astype(">c16"),
    "no mask": lambda z: np.ma.masked_array(z),
}


@pytest.mark.parametrize("form", FORMS)
def test_points_in_any_form_work(model, form):
    z = points(model)
    for ask in asks(model):
        np.testing.assert_array_equal(ask(FORMS[form](z)), ask(z))
        np.testing.assert_allclose(ask(z[0]), ask(z)[:1], rtol=1e-9)


def test_real_points_work(model):
    z = np.zeros(model.surface.degree)
    # A point of every Fermat hypersurface of odd degree; of the quartic there is no real one.
    z[:2] = 1, -1
    if model.surface.degree % 2:
        assert np.isfinite(model.metric(z, extrapolate=True)).all()
    else:
        with telling(InputError, "point 0", "1e-06"):
            model.metric(z)


@pytest.mark.parametrize("key", ["points.train", "points.test"])
@pytest.mark.parametrize("count", [1, 0, -5])
def test_a_run_of_one_point_is_refused(tmp_path, key, count):
    with telling(InputError, f"{key} = {count}", 2):
        read(small(tmp_path), [f"{key}={count}"])


#: Counts and seeds that are none, with facts in the refusal.
NUMBERS = [
    (1, 7, "points = 1", 2),
    (0, 7, "points = 0"),
    (-4, 7, "points = -4"),
    (2.5, 7, "points = 2.5"),
    ("9", 7, "points = '9'"),
    (None, 7, "points = None"),
    (10**14, 7, "points = 100000000000000", "1e+12"),
    (9, -1, "seed = -1", "2^63"),
    (9, 2**63, "seed = 9223372036854775808"),
    (9, 0.5, "seed = 0.5"),
]


@pytest.mark.parametrize("count, seed, facts", [(*row[:2], row[2:]) for row in NUMBERS])
def test_fresh_points_need_a_count_and_a_seed(model, count, seed, facts):
    for ask in [model.evaluate, *([model.curvature] if model.has_potential else [])]:
        with telling(InputError, *facts):
            ask(count, seed, extrapolate=True)


def test_two_points_are_measured_and_an_euler_number_without_error_is_none(model):
    assert all(np.isfinite(row.sigma) for row in model.evaluate(np.int64(2), 7))
    if model.has_potential:
        few, enough = (model.curvature(count, 7, extrapolate=True) for count in (7, 8))
        assert few.euler is None and few.error is None and np.isfinite(few.ricci)
        assert np.isfinite([enough.euler, enough.error]).all()
        assert not any("nan" in line for line in curvature_lines(few))


def test_a_gain_is_honest_where_sigma_is_zero(model):
    assert measures.gain(0.3, 0.1) == pytest.approx(3)
    assert measures.gain(0.3, 0.0) == np.inf and measures.gain(0.0, 0.0) == 1
    row = model.evaluate(4, 7)[-1]
    assert row.gain == 1 and plain(row)["gain"] == 1


def test_a_rank_without_points_takes_part_in_a_curvature(runs):
    done = mpiflow("evaluate", runs("generic"), "--points", 8, "--extrapolate", ranks=2)
    assert done.returncode == 0 and "Ricci measure" in done.stdout, done.stderr
