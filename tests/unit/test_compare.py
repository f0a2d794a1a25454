"""Two metrics beside each other: what their difference is, that it finds what differs and nothing else, what is refused."""

import json

import numpy as np
import pytest
from facts import telling
from inside import mpiflow as inside
from inside import refused

import mpiflow
from mpiflow.comm import Comm, world
from mpiflow.errors import InputError
from mpiflow.job.compare import relative
from mpiflow.job.report import difference_line

NEWTON = {"dt": 1.0, "steps": 5, "search": "gauss-newton"}
STEPS = {"dt": 0.03, "normalisation": "row", "steps": 3}


def kaehler(degree, seed=1, **more):
    table = {"run": {"seed": seed}, "points": {"train": 300, "test": 50, "chart": "all"}, "flow": NEWTON}
    return table | {"kernel": {"name": "kaehler", "degree": degree, "potential": "log"}} | more


def gaussian(chart=(0, 1), **more):
    table = {"points": {"train": 120, "test": 50, "chart": chart}, "clusters": {"count": 3, "batch": 60}, "flow": STEPS}
    return table | {"kernel": {"name": "gaussian", "width": 0.4}} | more


@pytest.fixture(scope="module")
def models():
    """Degrees 4, 6, 8 of potentials, and degree 8 on other points."""
    tables = {"4": kaehler(4), "6": kaehler(6), "8": kaehler(8), "other": kaehler(8, seed=2)}
    return {name: mpiflow.run(table) for name, table in tables.items()}


def test_degrees_and_seeds_differ_by_about_their_sigma(models):
    best = models["8"]
    found = {name: best.difference(model, 400, 5) for name, model in models.items()}
    means = [found[name].mean for name in ("4", "6", "other", "8")]
    # g_FS is .4 away.
    assert 0.02 > means[0] > 3 * means[1] > 6 * means[2] > means[3] and means[1] < 3e-3
    for name, apart in found.items():
        assert apart.largest >= apart.mean and apart.largest < 40 * apart.rows[1].eta_deviation, name
    assert found["8"].mean == found["8"].largest == 0
    assert [row.sigma for row in found["6"].rows] == pytest.approx([4.0e-4, 1.4e-3], rel=0.5)
    back = models["6"].difference(best, 400, 5)
    assert (back.mean, back.largest) == pytest.approx((found["6"].mean, found["6"].largest), rel=1e-9)
    assert back.rows[0].sigma == found["6"].rows[1].sigma


def test_it_is_the_difference_of_the_metrics_at_sampled_points(models):
    potential, components = models["6"], mpiflow.run(gaussian())
    p = mpiflow.sample(potential.config, 90, 5, chart=(0, 1))
    first, second = potential.metric(p.z), components.metric(p.z)
    # Lengths along many directions never differ by more, and along the best of them by nearly as much.
    rng = np.random.default_rng(0)
    v = rng.standard_normal((20_000, 3)) + 1j * rng.standard_normal((20_000, 3))
    lengths = [np.einsum("va,xab,vb->xv", v, g, v.conj(), optimize=True).real for g in (first, second)]
    along = np.abs(lengths[0] - lengths[1]) / (lengths[0] + lengths[1]) * 2
    apart = relative(first, second)
    assert (along.max(1) <= apart * (1 + 1e-9)).all() and (along.max(1) > 0.97 * apart).all()
    found = potential.difference(components, 90, 5)
    assert found.mean == pytest.approx(np.average(apart, weights=p.weight), rel=1e-9)
    assert found.largest == pytest.approx(apart.max(), rel=1e-9)
    assert found.rows[1].sigma == pytest.approx(components.evaluate(90, 5)[1].sigma, rel=1e-12)


def test_no_frame_and_no_order_enters_and_what_is_no_metric_is_infinitely_far():
    rng = np.random.default_rng(1)
    frame = rng.standard_normal((5, 3, 3)) + 1j * rng.standard_normal((5, 3, 3))
    here = np.broadcast_to(np.eye(3), (5, 3, 3)).astype(np.complex128)
    there = here * np.array([1.0, 1.1, 0.8])
    expected = np.full(5, 0.2 / 0.9)
    np.testing.assert_allclose(relative(here, there), expected, rtol=1e-12)
    moved = [frame @ g @ frame.conj().transpose(0, 2, 1) for g in (there, here)]
    np.testing.assert_allclose(relative(*moved), expected, rtol=1e-9)
    there[2] = np.diag([1.0, 1.0, -3.0])
    assert np.isinf(relative(here, there)).tolist() == [False, False, True, False, False]
    assert relative(here[:0], there[:0]).shape == (0,)


@pytest.mark.parallel([3])
def test_it_is_the_same_on_any_ranks(tmp_path):
    potential = gaussian(kernel={"name": "kaehler", "degree": 4}, clusters={}, flow={"dt": 0.3, "steps": 2})
    found = []
    for comm in (Comm(), world()):
        first, second = (mpiflow.run(table, comm=comm) for table in (gaussian(), potential))
        found.append((first.difference(second, 150, 2), second.difference(first, 150, 2)))
    assert found[0] == found[1]


TORUS = {"manifold": {"ambient": 2}}
REFUSED = {
    "another manifold": (
        kaehler(6, manifold={"family": "dwork", "psi": 0.1}),
        ("'fermat'", "'dwork'", "psi", 0.1),
    ),
    "another dimension": (kaehler(6, **TORUS), ("ambient", 4, 2)),
    "no chart in common": (gaussian((1, 0)), ("[0, 1]", "[1, 0]", "extrapolate")),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_compared_is_one_line(case):
    table, facts = REFUSED[case]
    with telling(InputError, *facts):
        mpiflow.run(gaussian()).difference(mpiflow.run(table), 50, 1)


def test_charts_that_only_one_knows_are_left_out_or_asked_for(models):
    one = mpiflow.run(gaussian())
    assert np.isfinite(one.difference(models["8"], 60, 1).largest)
    two = mpiflow.run(gaussian((1, 0)))
    assert one.difference(two, 60, 1, extrapolate=True).count == 60
    for bad in (None, "runs/x", one.config):
        with telling(InputError, "other", type(bad).__name__, "mpiflow.open"):
            one.difference(bad, 60, 1)
    with telling(InputError, "points = 1", 2):
        one.difference(one, 1, 1)


def test_the_command_tells_it(tmp_path):
    for name, flow in (("a", STEPS), ("b", STEPS | {"steps": 2})):
        mpiflow.run(gaussian(flow=flow, **TORUS), tmp_path / name)
    mpiflow.run(gaussian((1, 0), **TORUS), tmp_path / "c")
    told = inside("compare a b --points 80 --seed 3", tmp_path)
    found = mpiflow.open(tmp_path / "a").difference(mpiflow.open(tmp_path / "b"), 80, 3)
    assert told.returncode == 0 and difference_line(found, 3) in told.stdout
    assert "first: a, step 3" in told.stdout and "Kaehler" not in told.stdout
    document = json.loads(inside("compare a/state-00000003.h5 b --points 80 --seed 3 --json", tmp_path).stdout)
    assert document["steps"] == [3, 2] and document["mean"] == found.mean > 1e-3
    assert [row["metric"] for row in document["rows"]] == ["first", "second"]
    refused(inside("compare a c", tmp_path), "extrapolate")
    refused(inside("compare a absent", tmp_path), "absent: ")
    assert not inside("compare a b -q", tmp_path).stdout
