"""The neural tangent kernel of an infinitely wide network of error functions, which saturate (HR 2.23)."""

from __future__ import annotations

import numpy as np

from mpiflow.kernels.wide import Wide


class ErfNTK(Wide):
    """[kernel] name = "erf": the NTK of hidden layers erf(x) = 2 pi^(-1/2) int_0^x exp(-t^2) dt, in closed form."""

    name = "erf"

    @staticmethod
    def moments(a, b, c, f):
        """E erf(u) erf(v) = (2/pi) arcsin r, r = 2c ((1 + 2a)(1 + 2b))^(-1/2); its derivative by c is E erf'(u) erf'(v)."""
        scale = 2.0 / f.sqrt((2.0 * a + 1.0) * (2.0 * b + 1.0))
        r = c * scale
        return (2 / np.pi) * f.arcsin(r), (2 / np.pi) * scale * (1.0 / f.sqrt(1.0 - r * r))
