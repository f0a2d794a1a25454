"""What mpiflow/docs/theory.md says of the formulas and no other test holds."""

from __future__ import annotations

import numpy as np
import pytest
from surfaces import fermat

from mpiflow import losses, sampling
from mpiflow.comm import Comm
from mpiflow.dataset import PointSet
from mpiflow.engine.low_rank import LowRank
from mpiflow.flows.monge_ampere import MongeAmpere
from mpiflow.flows.potential_predictor import KaehlerPredictor
from mpiflow.flows.potentials import KaehlerFlow, KaehlerRule
from mpiflow.functionals.log import Log
from mpiflow.geometry import charts, fubini_study
from mpiflow.geometry.frames import frame
from mpiflow.kernels.kaehler import Normal
from mpiflow.methods import potentials
from mpiflow.preconditioners.ricci import Ricci
from mpiflow.ranks.chunks import Chunks
from mpiflow.ranks.shards import Layout


def point_set(surface, total):
    _, points = sampling.sample(Comm(), surface, total, 0, sampling.TRAIN)
    return PointSet(Layout(Comm(), np.zeros(total, np.int32), 1, [1.0]), points, np.zeros(total, np.int32))


def test_the_ricci_preconditioner_moves_the_metric_by_minus_its_ricci_tensor():
    """On a torus at k = 12, where functions of degree k have log eta to a part in a thousand; times dt, small."""
    surface, dt = fermat(2), 1e-5
    features, train = potentials.features(Comm(), surface, 12), point_set(surface, 400)
    z, chart = train.points.z, train.points.chart
    flow = KaehlerFlow(surface, features, train, KaehlerRule(dt, preconditioner=Ricci()))
    before = flow.watch(train)()
    ricci = KaehlerPredictor(surface, features, np.zeros(len(features))).ricci(z, chart)
    flow.step()
    moved = (flow.watch(train)() - before) / dt
    assert np.linalg.norm(moved + ricci) < 0.01 * np.linalg.norm(ricci)


def test_half_a_natural_step_is_gauss_newtons_near_the_solution():
    surface = fermat(4)
    features, train = potentials.features(Comm(), surface, 8), point_set(surface, 1000)
    here = frame(surface, train.points.z, train.points.chart)
    equation = MongeAmpere(LowRank(Chunks(Comm(), 1000), features, here), train.points.weight)
    state, apart = equation.at(np.zeros(len(features))), []
    for length in (0.5, 1.0, 1.0):
        normal = Normal(equation.engine.gram(equation.slope(state), equation.weight, state.residual), 0.0)
        step, natural = -normal.solve(normal.right), -0.5 * normal.solve(equation.gradient(state))
        apart.append(np.linalg.norm(step - natural) / np.linalg.norm(step))
        state = equation.at(state.coefficients + length * step)
    assert 0.05 < apart[0] < 0.3
    assert apart[2] < 1e-3


@pytest.mark.parametrize(("natural", "factor"), [(False, np.pi**2), (True, 1.0)])
def test_a_step_in_cymetrics_normalisation_is_shorter(natural, factor):
    """g / pi moves by a step dt / pi^2 as g by dt; by the natural gradient with the same dt."""
    surface = fermat(4)
    p = sampling.chunk(surface, 0, sampling.TRAIN, 0, None).map(lambda rows: rows[:20])
    g = fubini_study.pulled_back(p.z, charts.jacobian(surface, p.z, p.chart))

    def stepped(g, dt, kappa):
        return g - dt * losses.gradient(g, losses.eta(g, p.omega2, kappa), Log(), natural)

    ours, theirs = stepped(g, 1e-3, 2.0), stepped(g / np.pi, 1e-3 / factor, 2.0 / np.pi**3)
    np.testing.assert_allclose(theirs, ours / np.pi, rtol=1e-12, atol=1e-13)
