"""Monomials z^alpha zbar^beta of one coordinate of the unit sphere, with their derivatives."""

from __future__ import annotations

import math

import numpy as np


def derivatives(z: np.ndarray, labels: np.ndarray, order: int) -> np.ndarray:
    """d^p dbar^q of z^alpha zbar^beta for each label (alpha, beta), p and q up to `order`.

    z: (...) complex. labels: (L, 2) int. Returns (L, order+1, order+1, ...) complex.
    """
    # By products, for they keep the last digit that complex powers lose.
    powers = np.ones((int(labels.max(initial=0)) + 1, *z.shape), np.complex128)
    for k in range(1, len(powers)):
        powers[k] = powers[k - 1] * z
    result = np.zeros((len(labels), order + 1, order + 1, *z.shape), np.complex128)
    for m, (alpha, beta) in enumerate(labels.tolist()):
        for p in range(min(order, alpha) + 1):
            for q in range(min(order, beta) + 1):
                factor = math.perm(alpha, p) * math.perm(beta, q)
                result[m, p, q] = factor * powers[alpha - p] * powers[beta - q].conj()
    return result
