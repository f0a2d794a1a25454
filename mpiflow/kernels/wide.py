"""The neural tangent kernel of an infinitely wide network with a smooth activation (theory 4, HR 2.23)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from mpiflow.kernels.kernel import Kernel
from mpiflow.kernels.near import rooted_angle
from mpiflow.kernels.profile import Profile, dot, fit
from mpiflow.vector.lanes import Lanes


class Wide(Kernel):
    """The NTK of `depth` hidden layers on the 2(n+1) reals Re z, Im z of patch-scaled points; a subclass is an activation s.

    With (u, v) normal of variances a, b and covariance c, `moments` are E s(u) s(v) and E s'(u) s'(v), in layer l
        c' = w_std^2 E s s + b_std^2,  theta' = c' + w_std^2 E s' s' theta,
    from c = theta = w_std^2 x.x' / 2(n+1) + b_std^2; K is the last theta. Conventions as of `ReluNTK`. Error over the
    largest entry: 1e-13 in float64, 2e-6 in float32 for variances of about 1.
    """

    depth: Annotated[int, Field(ge=1, le=32)] = 2
    """Hidden layers."""
    w_std: Annotated[float, Field(ge=1e-3, le=10)] = 1.4142135623730951
    """Spread of the weights, times the root of the fan-in."""
    b_std: Annotated[float, Field(ge=0, le=10)] = 0.1
    """Spread of the biases."""

    symmetric = True
    answers = Kernel.answers | {"ricci"}
    space = {"flow.dt": [0.003, 3.0], "kernel.depth": [1, 4], "kernel.w_std": [0.5, 3.0]} | Kernel.space

    @staticmethod
    def moments(a, b, c, f) -> tuple[Any, Any]:
        """E s(u) s(v) and E s'(u) s'(v); a, b, c: arrays or registers, for which f has `sqrt` and `arcsin`."""
        raise NotImplementedError

    def tile(self, x, y, xp=np):
        """K of all pairs. x: (N, n+1), y: (M, n+1) complex, patch-scaled. Returns (N, M) float64."""
        return self._every(x, y, xp)[1]

    def nngp(self, x, y, xp=np):
        """Covariance of the network's first values, the last c, as `tile` (HR 2.9 - 2.12)."""
        return self._every(x, y, xp)[0]

    def pairs(self, x: np.ndarray, y: np.ndarray, floor: float = 0.0) -> np.ndarray:
        """K of paired points x, y (N, n+1); nothing is lost where they are near. Returns (N,) float64."""
        u, v = self.inputs(x), self.inputs(y)
        return self._recursion(self.variances(u), self.variances(v), (u * v).sum(1) + self.b_std**2, np)[1]

    def diagonal(self, x: np.ndarray) -> np.ndarray:
        """K(x, x). x: (N, n+1) complex. Returns (N,) float64."""
        return self.pairs(x, x)

    def floor(self, precision: str) -> float:
        """None: there is no cusp."""
        return 0.0

    def profile(self, n: int, precision: str) -> WideProfile:
        return WideProfile(precision, n, self.depth, type(self))

    def inputs(self, x, xp=np):
        """The reals of points, times w_std over the root of their number: (N, n+1) complex to (N, 2(n+1)) float64."""
        return xp.concatenate([x.real, x.imag], axis=1) * (self.w_std / (2 * x.shape[1]) ** 0.5)

    def variances(self, u, xp=np) -> list:
        """a of the hidden layers, (N,) each, of inputs (N, 2(n+1))."""
        found = [(u * u).sum(1) + self.b_std**2]
        for _ in range(self.depth - 1):
            found.append(self.w_std**2 * self.moments(*[found[-1]] * 3, xp)[0] + self.b_std**2)
        return found

    def _every(self, x, y, xp):
        u, v = self.inputs(x, xp), self.inputs(y, xp)
        rows = [a[:, None] for a in self.variances(u, xp)]
        return self._recursion(rows, self.variances(v, xp), u @ v.T + self.b_std**2, xp)

    def _recursion(self, left, right, c, xp) -> tuple:
        """The last c and the last theta."""
        theta = c
        for a, b in zip(left, right, strict=True):
            value, slope = self.moments(a, b, c, xp)
            c = self.w_std**2 * value + self.b_std**2
            theta = c + self.w_std**2 * slope * theta
        return c, theta


@dataclass(frozen=True)
class WideProfile(Profile):
    """The recursion of `Wide`: the inputs of a point, then its variance in each layer."""

    depth: int
    kind: type[Wide]

    @property
    def numbers(self) -> int:
        return self.coordinates + self.depth

    @property
    def coordinates(self) -> int:
        return 2 * (self.dimension + 1)

    n_parameters = 2

    @property
    def flops(self) -> int:
        """About the floating-point operations an entry."""
        return 2 * self.coordinates + self.depth * (2 * len(fit(rooted_angle, 0, 1, self.precision)) + 40)

    def records(self, kernel: Wide, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The numbers of a point; no factor is taken out."""
        u = kernel.inputs(points)
        return np.concatenate([u, np.stack(kernel.variances(u), axis=1)], axis=1), np.ones(len(points))

    def parameters(self, kernel: Wide, floor: float) -> list[float]:
        return [kernel.w_std**2, kernel.b_std**2]

    def value(self, x: list[Lanes], y: list[Lanes], parameters: list[Lanes]) -> Lanes:
        w, b = parameters
        theta = c = dot(x[: self.coordinates], y) + b
        for left, right in self._layers(x, y):
            value, slope = self.kind.moments(left, right, c, Registers(self.precision))
            c = value.fma(w, b)
            theta = (slope * w).fma(theta, c)
        return theta

    def _layers(self, x: list[Lanes], y: list[Lanes]) -> Iterator[tuple[Lanes, Lanes]]:
        return zip(x[self.coordinates :], y[self.coordinates :], strict=True)


@dataclass(frozen=True)
class Registers:
    """What `moments` ask of a library of arrays, for registers."""

    precision: str

    def sqrt(self, x: Lanes) -> Lanes:
        """The root, lane by lane."""
        return x.sqrt()

    def arcsin(self, x: Lanes) -> Lanes:
        """The arc sine, by its polynomial on 1 - |x|."""
        versine = (1.0 - x.abs()).max(0.0)
        angle = np.pi / 2 - versine.sqrt() * versine.polynomial(fit(rooted_angle, 0, 1, self.precision))
        return x.where(x > 0.0, angle, -angle)
