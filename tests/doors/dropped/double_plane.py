"""A manifold that is no complete intersection, in one file: K3 surfaces w^2 = f(x), double covers of P^2 over a sextic.

Coordinates are (x_0, x_1, x_2, w) of P(1,1,1,3): (s x, s^3 w) is the same point. A chart (i, j) has x_i = 1 and eliminates
coordinate j. Cubics of x and w embed X in P^10, and K = log(|x|^6 + |w|^2) / 3 is a third of the Fubini-Study potential there.
"""

from itertools import product
from math import factorial
from typing import ClassVar

import numpy as np

from mpiflow.geometry import charts
from mpiflow.geometry.domain import Domain, Points
from mpiflow.geometry.families import Family

WEIGHTS = np.array([1, 1, 1, 3])
CUBICS = np.array([row for row in product(range(4), repeat=3) if sum(row) == 3])
ROOTS = np.sqrt([6 / np.prod([factorial(e) for e in row]) for row in CUBICS])


class DoublePlane(Family):
    """w^2 = x_0^6 + x_1^6 + x_2^6 + 6 a (x_0 x_1 x_2)^2."""

    a: float = 0.3
    """Of the sextic, which is smooth where (2 a)^3 is not -1."""

    coordinates: ClassVar[int] = 4
    dimension: ClassVar[int] = 2
    smooth = True

    def equation(self):
        return Cover(self.a)

    def check_chart(self, chart):
        if len(chart) != 2 or chart[0] == chart[1] or not (0 <= chart[0] <= 2 and 0 <= chart[1] <= 3):
            raise ValueError(f"points.chart = {list(chart)}: x_i that is one, 0 to 2, and another coordinate, 0 to 3")

    def complaints(self, z, chart):
        yield from charts.complaints(z, chart)


class Cover(Domain):
    coordinates, dimension, volume, points_a_cut, cuts, chart_count = 4, 2, 2, 2, 2000, 9

    def __init__(self, a):
        self.a = a

    def value(self, z):
        """w^2 - f(x): (N,)."""
        x = z[:, :3]
        return z[:, 3] ** 2 - (x**6).sum(1) - 6 * self.a * x.prod(1) ** 2

    def gradient(self, z):
        x = z[:, :3]
        others = np.stack([x[:, 1] * x[:, 2], x[:, 2] * x[:, 0], x[:, 0] * x[:, 1]], axis=1)
        return np.column_stack([-6 * x**5 - 12 * self.a * x.prod(1)[:, None] * others, 2 * z[:, 3]])

    def draw(self, generator, cuts, chart=None):
        """Both points over points of P^2 that follow its volume, to which |Omega|^2 is as 1 / |2 w|^2 to 1 / |x|^6."""
        x = generator.standard_normal((cuts, 3, 2)).view(complex)[..., 0]
        w = np.sqrt(-self.value(np.column_stack([x, np.zeros(cuts)])))
        z = self.scaled(np.column_stack([np.repeat(x, 2, 0), np.stack([w, -w], 1).ravel()]))
        points = self.described(z)
        own = slice(None) if chart is None else (points.chart == chart).all(1)
        yield points.map(lambda rows: rows[own])

    def described(self, z, chart=None):
        chart = self.chart_of(z) if chart is None else chart
        weight = (np.abs(z[:, :3]) ** 2).sum(1) ** 3 / np.abs(2 * z[:, 3]) ** 2
        return Points(z, chart, weight, self.omega2(z, chart))

    def form(self, points):
        z = self.in_chart(points.z, points.chart)
        g = self.reference(z, points.chart)
        return self.omega2(z, points.chart) / (g[:, 0, 0] * g[:, 1, 1] - np.abs(g[:, 0, 1]) ** 2).real

    def scaled(self, z):
        return self.in_chart(z, np.abs(z[:, :3]).argmax(1)[:, None])

    def in_chart(self, z, chart):
        own = chart[:, :1].astype(int)
        found = z / np.take_along_axis(z, own, 1) ** WEIGHTS
        np.put_along_axis(found, own, 1.0, 1)
        return found

    def off(self, z):
        return np.abs(self.value(self.scaled(z)))

    def chart_of(self, z):
        i, slope = np.abs(z[:, :3]).argmax(1), np.abs(self.gradient(z))
        slope[np.arange(len(z)), i] = -1
        return np.stack([i, slope.argmax(1)], axis=1).astype(np.int8)

    def transition(self, z, chart, other):
        """dx/dy, the inverse of dy^a = dz_a / z_i^m - m z_a dz_i / z_i^(m + 1), m the weight of coordinate a."""
        here, kept, rows = self.in_chart(z, chart), charts.kept(other, 4), np.arange(len(z))[:, None]
        slope, i = self.jacobian(here, chart), other[:, :1].astype(int)
        m, scale = WEIGHTS[kept], np.take_along_axis(here, i, 1)
        along = slope[rows, kept] - (m * here[rows, kept] / scale)[..., None] * slope[rows, i]
        return np.linalg.inv(along / (scale**m)[..., None])

    def reference(self, z, chart):
        """d dbar log(|x|^6 + |w|^2) / 3 along X: (N, 2, 2)."""
        slope, x, w = self.jacobian(z, chart), z[:, :3], z[:, 3:]
        a = (np.abs(x) ** 2).sum(1)[:, None, None]
        norm = a**3 + np.abs(w[:, :, None]) ** 2
        ambient = np.zeros((len(z), 4, 4), complex)
        ambient[:, :3, :3] = 3 * a**2 * np.eye(3) + 6 * a * x.conj()[:, :, None] * x[:, None, :]
        ambient[:, 3, 3] = 1
        outward = np.column_stack([3 * a[:, 0] ** 2 * x.conj(), w.conj()])
        ambient = ambient / norm - outward[:, :, None] * outward.conj()[:, None, :] / norm**2
        g = slope.transpose(0, 2, 1) @ ambient @ slope.conj() / 3
        return (g + g.conj().transpose(0, 2, 1)) / 2

    def embedded(self, z):
        return np.column_stack([ROOTS * (z[:, None, :3] ** CUBICS).prod(2), z[:, 3]])

    jacobian = charts.jacobian
    omega2 = charts.omega2
    displaced = charts.displaced
