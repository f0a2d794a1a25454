"""The points in which random linear sections of a product of projective spaces meet X, of every type c (theory 2)."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from mpiflow import streams
from mpiflow.errors import NumericalError
from mpiflow.geometry import product_charts
from mpiflow.geometry.resultants import Solver

if TYPE_CHECKING:
    from mpiflow.geometry.intersection import Intersection

#: Newton steps in the plane; rounding of their last one; 1 - |<x, y>|^2 of solutions that are one and the same.
_STEPS, _ROUNDING, _SAME = 8, 1e-10, 1e-13
#: Points, and bytes of their matrices, that are solved together.
_BLOCK, _BYTES = 1000, 2**22
#: Other linear forms that are tried where not all solutions are found.
_TRIALS = 6


class Planes:
    """Sections with c_i random hyperplanes in factor i: X is met in kappa_c points."""

    def __init__(self, surface: Intersection, c: tuple[int, ...], count: int):
        self.surface, self.count = surface, count
        #: Coordinates on the plane of each factor, and of those that are no single point.
        self.sizes = [size - cut for size, cut in zip(surface.sizes, c, strict=True)]
        self.live = [i for i, size in enumerate(self.sizes) if size > 1]
        self.numbers = sum(size * own for size, own in zip(surface.sizes, self.sizes, strict=True))

    @cached_property
    def solver(self) -> Solver:
        """Its rows are chosen on a plane that no run has."""
        degrees = [tuple(row[i] for i in self.live) for row in self.surface.degrees]
        found = Solver(tuple(self.sizes[i] - 1 for i in self.live), degrees, self.count)
        self._nodes = [_interpolation(terms, found.sizes) for terms in found.terms]
        plane = streams.same().standard_normal((1, self.numbers, 2)).view(np.complex128)[..., 0]
        found.learn(self._restricted(self.spanned(plane)))
        return found

    def spanned(self, draws: np.ndarray) -> list[np.ndarray]:
        """Planes from normal numbers (B, numbers) complex: of each factor an orthonormal basis (B, n_i + 1, m_i + 1)."""
        found, start = [], 0
        for size, own in zip(self.surface.sizes, self.sizes, strict=True):
            found.append(np.linalg.qr(draws[:, start : start + size * own].reshape(-1, size, own))[0])
            start += size * own
        return found

    def meet(self, draws: np.ndarray) -> np.ndarray:
        """All points of X on B planes: (B, numbers) complex to (B, count, C) complex, off X by rounding.

        Raises NumericalError where a plane seems to have fewer.
        """
        solver, basis = self.solver, self.spanned(draws)
        coefficients = self._restricted(basis)
        found, good = self._polished(basis, solver.solve(coefficients))
        for trial in range(1, _TRIALS):
            if good.all():
                break
            left = np.flatnonzero(~good)
            again = solver.solve([each[left] for each in coefficients], trial)
            found[left], good[left] = self._polished([each[left] for each in basis], again)
        if not good.all():
            raise NumericalError(
                f"plane {int((~good).argmax())} of type {self.count} meets X in fewer than {self.count} points that can be "
                "told apart: is X singular?"
            )
        return found

    def _restricted(self, basis: list[np.ndarray]) -> list[np.ndarray]:
        """Coefficients (B, T_j) of each equation in the coordinates of the planes, by interpolation."""
        found = []
        for j, (nodes, inverse) in enumerate(self._nodes):
            z = self._raised(basis, np.broadcast_to(nodes, (len(basis[0]), *nodes.shape)))
            value = self.surface.value(z.reshape(-1, z.shape[2]))[:, j].reshape(z.shape[:2])
            each = value @ inverse.T
            found.append(each / np.linalg.norm(each, axis=1)[:, None])
        return found

    def _raised(self, basis: list[np.ndarray], x: np.ndarray) -> np.ndarray:
        """Points (B, count, live coordinates) of planes as points (B, count, C) of the ambient space."""
        found, start = [], 0
        for size, vectors in zip(self.sizes, basis, strict=True):
            if size > 1:
                found.append(x[:, :, start : start + size] @ vectors.swapaxes(1, 2))
                start += size
            else:
                found.append(np.broadcast_to(vectors[:, None, :, 0], (*x.shape[:2], vectors.shape[1])))
        return np.concatenate(found, axis=2)

    def _polished(self, basis: list[np.ndarray], x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Newton's method in the planes: points (B, count, C), and whether each plane has all of them (B,)."""
        shape, ends = x.shape, np.cumsum(self.solver.sizes)
        parts = [slice(end - size, end) for end, size in zip(ends, self.solver.sizes, strict=True)]
        x = x.reshape(-1, shape[2]).copy()
        along = _stacked([basis[i] for i in self.live], parts, self.surface, self.live).repeat(shape[1], 0)
        fixed = np.stack([part.start + np.abs(x[:, part]).argmax(1) for part in parts], axis=1)
        for part, column in zip(parts, fixed.T, strict=True):
            x[:, part] /= x[np.arange(len(x)), column][:, None]
        free = np.ones(x.shape, bool)
        np.put_along_axis(free, fixed, False, axis=1)
        free = np.nonzero(free)[1].reshape(len(x), -1)
        rows, change = np.arange(len(x))[:, None], np.full(len(x), np.inf)
        for _ in range(_STEPS):
            z = self._raised(basis, x.reshape(shape)).reshape(len(x), -1)
            minor = np.take_along_axis(self.surface.slopes(z) @ along, free[:, None, :], 2)
            with np.errstate(all="ignore"):
                step = np.linalg.solve(_regular(minor), self.surface.value(z)[:, :, None])[:, :, 0]
            change = np.abs(step).max(1)
            x[rows, free] -= np.nan_to_num(step)
            if change.max() < _ROUNDING:
                break
        x = x.reshape(shape)
        return self._raised(basis, x), (change < _ROUNDING).reshape(shape[:2]).all(1) & _apart(x, parts)


def _regular(matrix: np.ndarray) -> np.ndarray:
    """Matrices that can be solved with: those that are singular or no numbers become 1, and no solution comes of them."""
    bad = ~np.isfinite(matrix).all((1, 2)) | (np.linalg.det(np.nan_to_num(matrix)) == 0)
    return np.where(bad[:, None, None], np.eye(matrix.shape[1]), matrix)


def _stacked(basis: list[np.ndarray], parts: list[slice], surface: Intersection, live: list[int]) -> np.ndarray:
    """dz/dx of the planes: (B, C, live coordinates) complex."""
    found = np.zeros((len(basis[0]), surface.coordinates, parts[-1].stop), np.complex128)
    for i, part, vectors in zip(live, parts, basis, strict=True):
        found[:, surface.parts[i], part] = vectors
    return found


def _apart(x: np.ndarray, parts: list[slice]) -> np.ndarray:
    """Whether all points (B, count, ...) of each plane are different ones: (B,) bool."""
    same = np.ones((len(x), x.shape[1], x.shape[1]))
    for part in parts:
        unit = x[:, :, part] / np.linalg.norm(x[:, :, part], axis=2)[:, :, None]
        same = same * np.abs(unit @ unit.conj().swapaxes(1, 2)) ** 2
    same[:, np.arange(x.shape[1]), np.arange(x.shape[1])] = 0
    return ~(same > 1 - _SAME).any((1, 2))


def _interpolation(terms: np.ndarray, sizes: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Nodes (2T, coordinates), and what makes coefficients of a polynomial with these T terms of its values there (T, 2T)."""
    nodes = streams.same().standard_normal((2 * len(terms), sum(sizes), 2)).view(np.complex128)[..., 0]
    start = 0
    for size in sizes:
        nodes[:, start : start + size] /= np.linalg.norm(nodes[:, start : start + size], axis=1)[:, None]
        start += size
    return nodes, np.linalg.pinv((nodes[:, None, :] ** terms).prod(2))


def drawn(surface: Intersection, generator: np.random.Generator, cuts: int):
    """z ((B points a cut), C) complex, scaled, cut by cut, some cuts at a time; one cut is a section of every type."""
    sections = surface.plane_types
    draws = [generator.standard_normal((cuts, each.numbers, 2)).view(np.complex128)[..., 0] for each in sections]
    block = max(1, min(_BLOCK // surface.points_a_cut, *(_BYTES // each.solver.bytes for each in sections)))
    for start in range(0, cuts, block):
        found = [each.meet(numbers[start : start + block]) for each, numbers in zip(sections, draws, strict=True)]
        z = np.concatenate(found, axis=1)
        z = product_charts.scaled(surface, z.reshape(-1, z.shape[2]))
        chart = product_charts.chart_of(surface, z)
        yield product_charts.solved(surface, z, product_charts.split(surface, chart)[1].astype(np.int64), 2), chart
