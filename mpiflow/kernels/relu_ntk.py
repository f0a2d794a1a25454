"""The neural tangent kernel of an infinitely wide ReLU network (theory 4, HR 2.23; neural-tangents' conventions)."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

import numpy as np

from mpiflow.errors import InputError
from mpiflow.kernels.near import half_angle, paired_versines, versines


@dataclass(frozen=True)
class ReluNTK:
    """The NTK of `depth` hidden ReLU layers on the 2(n+1) reals Re z, Im z of patch-scaled points.

    NTK parameterisation: weights have variance w_std^2 / fan-in, biases b_std^2.

    The recursion runs on rho = cos of the angle between two points' features, in layer l
        rho' = alpha(x) alpha(x') S(rho) + beta(x) beta(x'),  S = sqrt(1 - rho^2) + rho (pi - arccos rho),
        theta' = rho' + alpha(x) alpha(x') (pi - arccos rho) theta,
    where alpha, beta hold the norms, pi alpha^2 + beta^2 = 1, and K = scale(x) scale(x') theta.
    """

    depth: int = 1
    w_std: float = 1.0
    b_std: float = 0.0

    name = "relu_ntk"
    symmetric = True
    bandwidth = None

    def __post_init__(self):
        if self.depth != int(self.depth) or self.depth < 1:
            raise InputError(f"kernel.depth = {self.depth}: the number of hidden layers must be an integer >= 1")
        if not (isfinite(self.w_std) and self.w_std > 0):
            raise InputError(
                f"kernel.w_std = {self.w_std}: the weights' deviation must be positive; 1.4 is a good start"
            )
        if not (isfinite(self.b_std) and self.b_std >= 0):
            raise InputError(f"kernel.b_std = {self.b_std}: the biases' deviation must be >= 0; 0 leaves them out")

    def tile(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """K of all pairs. x: (N, n+1), y: (M, n+1) complex, patch-scaled. Returns (N, M) float64."""
        rows = [part[..., None] for part in self.layers(x)]
        return self._recursion(*versines(self.features(x), self.features(y)), rows, self.layers(y))

    def pairs(self, x: np.ndarray, y: np.ndarray, floor: float = 0.0) -> np.ndarray:
        """K of paired points x, y (N, n+1), as if no angle of features were within `floor` of 0 or pi."""
        versine, negative = paired_versines(self.features(x), self.features(y))
        return self._recursion(np.maximum(versine, 1 - np.cos(floor)), negative, self.layers(x), self.layers(y))

    def diagonal(self, x: np.ndarray) -> np.ndarray:
        """K(x, x). x: (N, n+1) complex. Returns (N,) float64."""
        sigma = self._variances(x)
        theta = sigma[0]
        for after in sigma[1:]:
            theta = after + self.w_std**2 / 2 * theta
        return theta

    def features(self, x: np.ndarray) -> np.ndarray:
        """Unit vectors whose products are the input's rho: the reals of x and, with biases, a constant.

        x: (N, n+1) complex. Returns (N, 2(n+1) or 2(n+1)+1) float64.
        """
        parts = [x.real, x.imag] if self.b_std == 0 else [x.real, x.imag, np.full((len(x), 1), self._constant(x))]
        u = np.concatenate(parts, axis=1)
        return u / np.sqrt((u * u).sum(1))[:, None]

    def layers(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """alpha (depth, N), beta (depth, N) and scale (N,) of the recursion, all float64."""
        deviation = np.sqrt(self._variances(x))
        alpha = self.w_std / np.sqrt(2 * np.pi) * deviation[:-1] / deviation[1:]
        return alpha, self.b_std / deviation[1:], deviation[-1]

    def _constant(self, x: np.ndarray) -> float:
        return self.b_std * np.sqrt(2 * x.shape[1]) / self.w_std

    def _variances(self, x: np.ndarray) -> np.ndarray:
        """Sigma^l(x, x), l = 0 ... depth: (depth+1, N)."""
        sigma = [self.w_std**2 * (x.real**2 + x.imag**2).sum(1) / (2 * x.shape[1]) + self.b_std**2]
        for _ in range(self.depth):
            sigma.append(self.w_std**2 * sigma[-1] / 2 + self.b_std**2)
        return np.array(sigma)

    def _recursion(self, versine, negative, left, right) -> np.ndarray:
        """K from 1 - |rho|, which keeps the digits that rho loses near 1, and the sign of rho."""
        (alpha_x, beta_x, scale_x), (alpha_y, beta_y, scale_y) = left, right
        rho = np.where(negative, versine - 1, 1 - versine)
        theta = rho
        for ax, bx, ay, by in zip(alpha_x, beta_x, alpha_y, beta_y, strict=True):
            angle = half_angle(versine)
            cusp = np.sin(angle) - (1 - versine) * angle
            slope = np.where(negative, angle, np.pi - angle)
            missing = np.where(negative, np.pi, np.pi * versine) - cusp  # pi - S
            versine = (np.pi * (ax - ay) ** 2 + (bx - by) ** 2) / 2 + ax * ay * missing
            rho, negative = 1 - versine, False
            theta = rho + ax * ay * slope * theta
        return scale_x * scale_y * theta
