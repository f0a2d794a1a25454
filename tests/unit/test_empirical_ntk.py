"""The empirical metric-NTK against differences of the metric, and its spectra on matrices that are known."""

import numpy as np
import pytest
from surfaces import fermat

from mpiflow import hermitian, sampling
from mpiflow.methods.registry import NETWORKS
from mpiflow.network import inputs, objective
from mpiflow.network.empirical_ntk import distances, jacobian, ntk, spectra
from mpiflow.network.flow import architecture
from mpiflow.network.objective import Objective


def _columns(kind, count):
    surface = fermat(3)
    points = sampling.chunk(surface, 3, sampling.TRAIN, 0, None).map(lambda rows: rows[:count])
    kind = NETWORKS.find(kind)(width=6, depth=2)
    goal = Objective(architecture(surface, kind), kind)
    return goal, inputs.component(surface, points.z, points.chart)


@pytest.mark.parametrize("kind", ["multiplicative", "additive"])
def test_the_ntk_agrees_with_finite_differences(kind):
    goal, columns = _columns(kind, 4)
    theta = goal.architecture.initial(2, silent=False)

    def reals(theta):
        return hermitian.to_reals(np.asarray(objective.metric(goal, theta, columns)))

    steps = 1e-5 * np.eye(len(theta))
    slopes = np.stack([(reals(theta + step) - reals(theta - step)) / 2e-5 for step in steps], axis=-1)
    expected = np.einsum("xaI,ybI->abxy", slopes, slopes)
    found = jacobian(goal, theta, columns)
    theta_ab = ntk(found, found)
    assert theta_ab.shape == (4, 4, 4, 4) and np.abs(expected).max() > 1e-2
    np.testing.assert_allclose(theta_ab, expected, atol=1e-7 * np.abs(expected).max())
    # Both pairs exchanged, the kernel is the same.
    np.testing.assert_allclose(theta_ab, theta_ab.transpose(1, 0, 3, 2), atol=1e-12)


def test_spectra_of_a_network_with_itself_are_symmetric_and_positive():
    goal, columns = _columns("multiplicative", 5)
    found = jacobian(goal, goal.architecture.initial(2, silent=False), columns)
    same = spectra(found, found)
    assert {name: len(values) for name, values in same.items()} == {"real": 80, "singular": 80, "gram": 20}
    assert same["gram"].min() > -1e-12 * same["gram"].max()
    blocks = ntk(found, found)
    assert same["gram"].sum() == pytest.approx(sum(np.trace(blocks[a, a]) for a in range(4)))
    assert same["real"].sum() == pytest.approx(np.trace(blocks, axis1=2, axis2=3).sum())
    assert (same["singular"] ** 2).sum() == pytest.approx((blocks**2).sum())


def test_distances_are_those_of_a_shift():
    first = {name: np.arange(1.0, 6.0) for name in ("real", "singular", "gram")}
    assert distances(first, first) == {"real": 0, "singular": 0, "gram": 0}
    moved = distances(first, first | {"gram": np.arange(7.0, 2.0, -1.0)})
    assert moved["gram"] == pytest.approx(2 / 3) and moved["real"] == 0
