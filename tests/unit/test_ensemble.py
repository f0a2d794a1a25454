"""Finite networks beside the Gaussian process that wide ones are, and beside their own linearisation (HR 2.9 - 2.12)."""

import numpy as np
import pytest

from mpiflow.kernels.relu import ReluNTK
from mpiflow.network.ensemble import Problem, off


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(2)
    z = rng.normal(size=(17, 4)) + 1j * rng.normal(size=(17, 4))
    z /= np.abs(z).max(1)[:, None]
    return Problem(ReluNTK(depth=1), z[:12], rng.normal(size=12) / 4, z[12:], 1.0)


def test_an_ensemble_has_the_mean_and_covariance_of_the_closed_solution(problem):
    mean, spread = problem.exact()
    apart = off(problem.ensemble(256, range(300)), mean, spread)
    assert apart[0] < 0.15 and apart[1] < 0.25
    # Both matter: networks that were not trained are far from either.
    begun = Problem(problem.kernel, problem.x, problem.y, problem.others, 0.0).exact()
    assert np.abs((begun[0] - mean) / np.sqrt(np.diag(spread))).max() > 0.15
    assert np.abs(begun[1] - spread).max() > 0.25 * np.diag(spread).max()


def test_a_wide_network_is_its_own_linearisation(problem):
    narrow, wide = (np.mean([problem.departure(width, seed) for seed in range(3)]) for width in (64, 4096))
    order = np.log(narrow / wide) / np.log(64)
    assert wide < 0.02 and 0.4 < order < 0.75
