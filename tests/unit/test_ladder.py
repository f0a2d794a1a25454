"""Powers of h, and ladders of degrees that climb by them, resumed in the middle and with few points below."""

from __future__ import annotations

import numpy as np
import pytest
from logarithms import layout, made, predictor, train_set
from surfaces import dwork, fermat, random_quartic

from mpiflow.ansatz.composed import Composed
from mpiflow.ansatz.log import Log
from mpiflow.flows.ladder import Ladder
from mpiflow.flows.potential_predictor import KaehlerPredictor
from mpiflow.flows.potentials import KaehlerFlow, KaehlerRule
from mpiflow.methods import potentials
from mpiflow.searches.gauss_newton import GaussNewton
from mpiflow.searches.lbfgs import LBFGS


@pytest.mark.parametrize(
    ("kind", "surface", "low", "high"),
    [
        ("generic", random_quartic(), 1, 2),
        ("generic", random_quartic(), 2, 4),
        ("generic", random_quartic(), 3, 6),
        ("invariant", fermat(4), 4, 8),
        ("invariant", dwork(3, 0.3), 4, 12),
    ],
)
def test_a_power_of_h_is_the_same_metric(kind, surface, low, high):
    below, p = predictor(kind, surface, low, 0.8 if kind == "generic" else 0.1), train_set(surface, 40).points
    features, draw = made(kind, surface, high), potentials.drawn(surface)
    c = features.lifted(surface, below.features, below.coefficients, Log(), low, high, draw)
    above = KaehlerPredictor(surface, features, c, Composed(Log(), high))
    expected = below.metric(layout(40), p.z, p.chart)
    np.testing.assert_allclose(
        above.metric(layout(40), p.z, p.chart), expected, rtol=0, atol=1e-12 * np.abs(expected).max()
    )


def test_h_times_z_squared_is_a_smaller_potential_of_one_degree_more():
    surface, z = random_quartic(), train_set(random_quartic(), 40).points.z
    below, features = predictor("generic", surface, 3, 0.8), made("generic", surface, 4)
    c = features.lifted(surface, below.features, below.coefficients, Log(), 3, 4, potentials.drawn(surface))
    above = KaehlerPredictor(surface, features, c, Composed(Log(), 4))
    np.testing.assert_allclose(above.potential(z), 3 / 4 * below.potential(z), atol=1e-13)


def _climbing(search, kind="generic", **options):
    surface = random_quartic() if kind == "generic" else fermat(4)
    ladder = Ladder((2, 4), 2, lambda k: made(kind, surface, k), potentials.drawn(surface))
    rule = KaehlerRule(1.0, ansatz=Log(), search=search, ridge=1e-6, **options)
    return KaehlerFlow(surface, ladder, train_set(surface, 700), rule)


@pytest.mark.parametrize("kind", ["generic", "invariant"])
def test_a_rung_goes_on_from_the_one_below(kind):
    flow = _climbing(GaussNewton(inner=20 if kind == "generic" else None), kind)
    records = [flow.step() for _ in range(4)]
    assert [record.degree for record in records] == [2, 2, 4, 4]
    assert flow.chunks.total == 700
    assert records[2].sigma_train < 0.8 * records[1].sigma_train
    assert all(later.loss < earlier.loss for earlier, later in zip(records[2:], records[3:], strict=False))


@pytest.mark.parametrize("stop", [1, 2, 3])
@pytest.mark.parametrize("search", [GaussNewton(inner=8), LBFGS()])
def test_a_restart_in_the_middle_of_a_ladder_has_the_same_bits(search, stop):
    whole, first, second = (_climbing(search, single=True) for _ in range(3))
    for _ in range(stop):
        whole.step()
        first.step()
    state = first.snapshot()
    assert len(state["metric/current"]) == 700
    second.restore(lambda name, wanted=None: state[name])
    for _ in range(4 - stop):
        assert whole.step() == second.step()
    assert (whole.state.coefficients == second.state.coefficients).all()


def test_few_points_are_enough_below_the_last_rung():
    flow = _climbing(GaussNewton(inner=20))
    assert flow.chunks.total == 5 * 10**2
    g, p = flow.snapshot()["metric/current"], flow.train.points
    np.testing.assert_allclose(g, flow.predictor().metric(flow.train.layout, p.z, p.chart), rtol=1e-12)
