"""The metric-NTK of a finite network, and what its spectrum is taken to be (HR 2.7, HR 3.3)."""

from __future__ import annotations

import jax
import numpy as np
from scipy.stats import wasserstein_distance

from mpiflow.network import inputs, metrics
from mpiflow.network.objective import Objective

#: The three spectra: the blocks between train and test points are not symmetric, so that their eigenvalues are complex.
SPECTRA = {
    "real": "real parts of the eigenvalues of the train-test blocks",
    "singular": "singular values of the train-test blocks",
    "gram": "eigenvalues of the Gram matrix of the train points",
}


def jacobian(goal: Objective, theta: np.ndarray, columns: inputs.Columns) -> np.ndarray:
    """dg_a/dtheta_I, a the d^2 reals of g (`hermitian.to_reals`): (N, d^2, P) float64.

    theta: (P,). columns: of N points, as of `inputs.component`.
    """
    return np.asarray(_jacobian(goal, theta.astype(np.float64), columns))


def ntk(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Theta_ab(x, x') = sum_I dg_a(x)/dtheta_I dg_b(x')/dtheta_I from two Jacobians: (d^2, d^2, N, N')."""
    return np.einsum("xaI,ybI->abxy", left, right, optimize=True)


def spectra(train: np.ndarray, test: np.ndarray) -> dict[str, np.ndarray]:
    """The three spectra, by the names of SPECTRA, of Jacobians at as many train as test points.

    The first two pool the d^4 blocks of N x N; the Gram matrix is d^2 N x d^2 N, symmetric and positive.
    """
    blocks = ntk(train, test)
    flat = train.reshape(-1, train.shape[-1])
    return {
        "real": np.linalg.eigvals(blocks).real.ravel(),
        "singular": np.linalg.svd(blocks, compute_uv=False).ravel(),
        "gram": np.linalg.eigvalsh(flat @ flat.T),
    }


def distances(first: dict[str, np.ndarray], later: dict[str, np.ndarray]) -> dict[str, float]:
    """Wasserstein distance of each spectrum to that of a first network, in units of the mean size of the latter."""
    return {
        name: float(wasserstein_distance(first[name], later[name]) / np.abs(first[name]).mean()) for name in SPECTRA
    }


@jax.jit
def _jacobian(goal, theta, columns):
    return jax.vmap(lambda p: jax.jacrev(lambda t: metrics.reals(goal.metric(t, p)))(theta))(columns)
