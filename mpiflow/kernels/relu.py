"""The neural tangent kernel of an infinitely wide ReLU network (theory 4, HR 2.23; neural-tangents' conventions)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from mpiflow.kernels.kernel import Kernel
from mpiflow.kernels.near import half_angle, paired_versines, rooted_angle, versines
from mpiflow.kernels.profile import Profile, dot, fit
from mpiflow.vector.lanes import Lanes

# The kernel has a cusp: an error e of 1 - cos(angle) changes it by e / (2 pi angle).
_CUSP = {"float32": 0.05, "float64": 2e-3}


class ReluNTK(Kernel):
    """[kernel] name = "relu": the NTK of `depth` hidden ReLU layers on the 2(n+1) reals Re z, Im z of patch-scaled points.

    NTK parameterisation: weights have variance w_std^2 / fan-in, biases b_std^2.

    The recursion runs on rho = cos of the angle between two points' features, in layer l
        rho' = alpha(x) alpha(x') S(rho) + beta(x) beta(x'),  S = sqrt(1 - rho^2) + rho (pi - arccos rho),
        theta' = rho' + alpha(x) alpha(x') (pi - arccos rho) theta,
    where alpha, beta hold the norms, pi alpha^2 + beta^2 = 1, and K = scale(x) scale(x') theta.
    """

    depth: Annotated[int, Field(ge=1, le=32)] = 2
    """Hidden layers."""
    w_std: Annotated[float, Field(ge=1e-3, le=1e3)] = 1.4142135623730951
    """Spread of the weights, times the root of the fan-in."""
    b_std: Annotated[float, Field(ge=0, le=1e3)] = 0.1
    """Spread of the biases."""

    name = "relu"
    symmetric = True
    space = {"flow.dt": [0.003, 3.0], "kernel.depth": [1, 4]} | Kernel.space

    def tile(self, x: np.ndarray, y: np.ndarray, xp=np) -> np.ndarray:
        """K of all pairs. x: (N, n+1), y: (M, n+1) complex, patch-scaled. Returns (N, M) float64."""
        return self._every(x, y)[1]

    def nngp(self, x: np.ndarray, y: np.ndarray, xp=np) -> np.ndarray:
        """Covariance of the network's first values, scale(x) scale(x') rho, as `tile` (HR 2.9 - 2.12)."""
        return self._every(x, y)[0]

    def pairs(self, x: np.ndarray, y: np.ndarray, floor: float = 0.0) -> np.ndarray:
        """K of paired points x, y (N, n+1), as if no angle of features were within `floor` of 0 or pi."""
        versine, negative = paired_versines(self.features(x), self.features(y))
        return self._recursion(np.maximum(versine, 1 - np.cos(floor)), negative, self.layers(x), self.layers(y))[1]

    def diagonal(self, x: np.ndarray) -> np.ndarray:
        """K(x, x). x: (N, n+1) complex. Returns (N,) float64."""
        sigma = self._variances(x)
        theta = sigma[0]
        for after in sigma[1:]:
            theta = after + self.w_std**2 / 2 * theta
        return theta

    def floor(self, precision: str) -> float:
        """Where the cusp begins."""
        return _CUSP[precision]

    def profile(self, n: int, precision: str) -> ReluProfile:
        return ReluProfile(precision, n, self.depth, self.b_std > 0)

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
        # A view of the last would keep all of them.
        return alpha, self.b_std / deviation[1:], deviation[-1].copy()

    def _constant(self, x: np.ndarray) -> float:
        return self.b_std * np.sqrt(2 * x.shape[1]) / self.w_std

    def _variances(self, x: np.ndarray) -> np.ndarray:
        """Sigma^l(x, x), l = 0 ... depth: (depth+1, N)."""
        sigma = [self.w_std**2 * (x.real**2 + x.imag**2).sum(1) / (2 * x.shape[1]) + self.b_std**2]
        for _ in range(self.depth):
            sigma.append(self.w_std**2 * sigma[-1] / 2 + self.b_std**2)
        return np.array(sigma)

    def _every(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rows = [part[..., None] for part in self.layers(x)]
        return self._recursion(*versines(self.features(x), self.features(y)), rows, self.layers(y))

    def _recursion(self, versine, negative, left, right) -> tuple[np.ndarray, np.ndarray]:
        """The last rho and K, both scaled, from 1 - |rho|, which keeps the digits that rho loses near 1, and its sign."""
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
        return scale_x * scale_y * rho, scale_x * scale_y * theta


# Both are analytic up to h = 2 (angle pi), as `rooted_angle` is.
def _cusp(h):
    """(sin t - t cos t) / h^(3/2), t = arccos(1 - h): regular at h = 0."""
    t = half_angle(h)
    series = t**3 * (1 / 3 - t**2 * (1 / 30 - t**2 * (1 / 840 - t**2 * (1 / 45360 - t**2 / 3991680))))
    return np.where(t < 0.3, series, np.sin(t) - t * np.cos(t)) / h**1.5


def _ntk(h):
    return (_cusp(h) * h**1.5 - half_angle(h) * (1 - h)) / np.sqrt(h)


@dataclass(frozen=True)
class ReluProfile(Profile):
    """The ReLU NTK's recursion (`ReluNTK`) on rho, one square root and two polynomials a layer."""

    depth: int
    bias: bool

    @property
    def coordinates(self) -> int:
        return 2 * (self.dimension + 1) + self.bias

    @property
    def numbers(self) -> int:
        return self.coordinates + 2 * self.depth * self.bias

    n_parameters = 1

    @property
    def flops(self) -> int:
        """Floating-point operations an entry."""
        return 2 * self.coordinates + self.depth * (4 * len(self._fit(_ntk)) + 14)

    def records(self, kernel: ReluNTK, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Unit features, with biases followed by alpha and beta of each layer; and scale(x)."""
        alpha, beta, scale = kernel.layers(points)
        features = kernel.features(points)
        return np.concatenate([features, alpha.T, beta.T], axis=1) if self.bias else features, scale

    def parameters(self, kernel: ReluNTK, floor: float) -> list[float]:
        return [np.cos(floor)]

    def overlap(self, x: list[Lanes], y: list[Lanes]) -> Lanes:
        """rho^2 of the input layer."""
        rho = dot(x[: self.coordinates], y)
        return rho * rho

    def value(self, x: list[Lanes], y: list[Lanes], parameters: list[Lanes]) -> Lanes:
        (limit,) = parameters
        rho = dot(x[: self.coordinates], y).min(limit).max(0.0 - limit)
        if self.depth == 1 and not self.bias:
            # theta = (sin t + 2 (pi - t) rho) / pi, whose cusps at rho = +-1 are one square root.
            versine = 1.0 - rho.abs()
            cusp = versine.sqrt() * versine.polynomial([c / np.pi for c in self._fit(_ntk)])
            return rho.max(0.0).fma(2.0, cusp)
        theta = rho
        for layer in range(self.depth):
            gain, offset = self._norms(x, y, layer)
            series, slope = self._arc(rho)
            rho = series.fma(gain, offset)
            theta = (theta * gain).fma(slope, rho)
        return theta

    def _arc(self, rho: Lanes) -> tuple[Lanes, Lanes]:
        """S(rho) = sqrt(1 - rho^2) + rho (pi - arccos rho) and its slope pi - arccos rho."""
        versine = (1.0 - rho.abs()).max(0.0)
        root = versine.sqrt()
        angle = root * versine.polynomial(self._fit(rooted_angle))
        cusp = versine * root * versine.polynomial(self._fit(_cusp))
        return rho.max(0.0).fma(np.pi, cusp), rho.where(rho > 0.0, np.pi - angle, angle)

    def _norms(self, x: list[Lanes], y: list[Lanes], layer: int):
        if not self.bias:
            return 1 / np.pi, 0.0
        alpha, beta = self.coordinates + layer, self.coordinates + self.depth + layer
        return x[alpha] * y[alpha], x[beta] * y[beta]

    def _fit(self, function) -> tuple[float, ...]:
        return fit(function, 0, 1, self.precision)
