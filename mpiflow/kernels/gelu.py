"""The neural tangent kernel of an infinitely wide gelu network (HR 2.23; the activation of HR 3.3)."""

from __future__ import annotations

import numpy as np

from mpiflow.kernels.wide import Wide


class GeluNTK(Wide):
    """[kernel] name = "gelu": the NTK of hidden layers x P(x), P the standard normal distribution, in closed form."""

    name = "gelu"

    @staticmethod
    def moments(a, b, c, f):
        """By Stein's lemma twice, with r = c q, q = ((1 + a)(1 + b))^(-1/2) and s = q (1 - r^2)^(-1/2):

        2 pi E u P(u) v P(v) = c (pi/2 + arcsin r) + (ab + c^2 e) s,  e = 1/(1 + a) + 1/(1 + b) - 1,
        and its derivative by c is 2 pi E (u P)' (v P)' = pi/2 + arcsin r + c s (1 + 2e + (ab + c^2 e) s^2).
        """
        p, q = 1.0 / (a + 1.0), 1.0 / (b + 1.0)
        root = f.sqrt(p * q)
        r = c * root
        s = root * (1.0 / f.sqrt(1.0 - r * r))
        e = p + q - 1.0
        arc, rest = f.arcsin(r) + np.pi / 2, a * b + c * c * e
        slope = arc + c * s * (1.0 + 2.0 * e + rest * s * s)
        return (0.5 / np.pi) * (c * arc + rest * s), (0.5 / np.pi) * slope
