"""The inverse of moments of sections, which Donaldson's T-map is made of (theory 4)."""

from __future__ import annotations

import numpy as np

from mpiflow.errors import NumericalError

#: Relative size below which an eigenvalue is that of a combination of sections that vanishes on the points.
_DEPENDENT = 1e-10


def inverse(moments: np.ndarray, count: int) -> np.ndarray:
    """The pseudo-inverse of a Hermitian matrix of moments of M sections, of which `count` are independent on X, over count.

    (M, M), as given; of independent sections it is the form that their inverse is. Raises NumericalError where points are so
    few that fewer are told apart.
    """
    values, vectors = np.linalg.eigh(moments)
    values, vectors = values[-count:], vectors[:, -count:]
    if not values[0] > _DEPENDENT * values[-1]:
        raise NumericalError(
            f"Donaldson's map: the moments of {count} sections are singular on these points: take more of them, or a lower "
            "kernel.degree"
        )
    return (vectors / (count * values)) @ vectors.conj().T
