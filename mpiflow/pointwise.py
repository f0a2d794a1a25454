"""Determinant, cofactors and least eigenvalue of many Hermitian d x d matrices, written out for d <= 3, in any array library.

A matrix is its entries: the diagonal, d arrays (N,) of float64, and what is above it row by row, d (d-1) / 2 complex ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np


@dataclass(frozen=True)
class Entries:
    """Hermitian matrices of one array library and precision: diagonal d x (N,) real, above d (d-1) / 2 x (N,) complex."""

    xp: object
    diagonal: tuple
    above: tuple

    @classmethod
    def of(cls, g, xp=np) -> Entries:
        """Of matrices (N, d, d)."""
        d = g.shape[-1]
        # Copies lie in a row: what follows reads each of them several times.
        diagonal = (xp.real(g[:, i, i]) * 1.0 for i in range(d))
        return cls(xp, tuple(diagonal), tuple(g[:, i, j] * 1.0 for i, j in combinations(range(d), 2)))

    @classmethod
    def packed(cls, v, xp=np) -> Entries:
        """Of `hermitian.packed` reals (N, d^2) of an array library."""
        d = round(v.shape[1] ** 0.5)
        columns = [v[:, k] * 1.0 for k in range(d * d)]
        half = d * (d - 1) // 2
        kind = xp.complex64 if v.dtype == xp.float32 else xp.complex128
        parts = [[xp.asarray(columns[d + start + k], dtype=kind) for start in (0, half)] for k in range(half)]
        above = (real + imaginary * 1j for real, imaginary in parts)
        return cls(xp, tuple(columns[:d]), tuple(above))

    def reals(self):
        """As `hermitian.packed`: (N, d^2)."""
        xp = self.xp
        return xp.stack([*self.diagonal, *(xp.real(z) for z in self.above), *(xp.imag(z) for z in self.above)], axis=1)

    def scaled(self, factor) -> Entries:
        """Times a real factor (N,)."""
        return Entries(self.xp, tuple(a * factor for a in self.diagonal), tuple(z * factor for z in self.above))

    def norm(self):
        """Frobenius norm: (N,)."""
        squares = sum(a * a for a in self.diagonal) + 2 * sum(self._square(z) for z in self.above)
        return self.xp.sqrt(squares)

    def determinant(self):
        """det g: (N,) real."""
        a = self.diagonal
        if len(a) == 1:
            return a[0]
        if len(a) == 2:
            return a[0] * a[1] - self._square(self.above[0])
        if len(a) > 3:
            return self.xp.real(self.xp.linalg.det(self.matrices()))
        (x, y, w), conj, square = self.above, self.xp.conj, self._square
        mixed = self.xp.real(x * w * conj(y))
        return a[0] * a[1] * a[2] + 2 * mixed - a[0] * square(w) - a[1] * square(y) - a[2] * square(x)

    def cofactors(self) -> Entries:
        """det g times the inverse of g, which is the slope of det g: a polynomial, with no division to lose digits by."""
        a = self.diagonal
        if len(a) == 1:
            return Entries(self.xp, (a[0] * 0 + 1,), ())
        if len(a) == 2:
            return Entries(self.xp, (a[1], a[0]), (-self.above[0],))
        if len(a) > 3:
            g = self.matrices()
            adjugate = self.xp.linalg.inv(g) * self.xp.linalg.det(g)[:, None, None]
            return Entries.of(adjugate, self.xp)
        (x, y, w), conj, square = self.above, self.xp.conj, self._square
        diagonal = a[1] * a[2] - square(w), a[0] * a[2] - square(y), a[0] * a[1] - square(x)
        return Entries(self.xp, diagonal, (y * conj(w) - x * a[2], x * w - y * a[1], conj(x) * y - w * a[0]))

    def least(self):
        """The least eigenvalue: (N,) real; within 1e-14 of the largest modulus of one. NaN where an entry is."""
        a, xp = self.diagonal, self.xp
        if len(a) == 1:
            return a[0]
        if len(a) == 2:
            half = (a[0] - a[1]) / 2
            return (a[0] + a[1]) / 2 - xp.sqrt(half * half + self._square(self.above[0]))
        if len(a) > 3:
            return self._least_of_many()
        return self._least_of_three()

    def matrices(self):
        """(N, d, d) complex128."""
        xp, d = self.xp, len(self.diagonal)
        number = {pair: k for k, pair in enumerate(combinations(range(d), 2))}

        def entry(i: int, j: int):
            if i == j:
                return xp.asarray(self.diagonal[i], dtype=xp.complex128)
            return self.above[number[i, j]] if i < j else xp.conj(self.above[number[j, i]])

        return xp.stack([xp.stack([entry(i, j) for j in range(d)], axis=1) for i in range(d)], axis=1)

    def _least_of_many(self):
        """By LAPACK, which may not be given what is not finite."""
        xp, g = self.xp, self.matrices()
        finite = xp.all(xp.isfinite(g), axis=(1, 2))
        least = xp.linalg.eigvalsh(xp.where(finite[:, None, None], g, xp.zeros_like(g)))[:, 0]
        return xp.where(finite, least, xp.zeros_like(least) + float("nan"))

    def _least_of_three(self):
        """By the cubic's angle where the least eigenvalue is apart from the others, else by what the largest one leaves.

        B = (g - tr g / 3) / p with |B|^2 = 6 has the eigenvalues 2 cos(t + 2 pi k / 3), cos 3t = det B / 2. Where that is
        positive the largest, b, is isolated, and P = adj(B - b) / tr adj(B - b) projects on it; B + b/2 - 3b/2 P has what
        is left, 0 and -+ half the distance of the other two, whose Frobenius norm knows that distance to the last digit.
        """
        xp = self.xp
        mean = sum(self.diagonal) / 3
        shifted = Entries(xp, tuple(a - mean for a in self.diagonal), self.above)
        spread = shifted.norm() / 6**0.5
        b = shifted.scaled(1 / xp.where(spread > 0, spread, xp.ones_like(spread)))
        r = b.determinant() / 2
        clipped = xp.clip(r, -1.0, 1.0)
        # The array API standard's name; numpy 1 and CuPy know the other alone.
        cosine = xp.cos((xp.acos(clipped) if hasattr(xp, "acos") else xp.arccos(clipped)) / 3)
        largest, apart = 2 * cosine, -cosine - xp.sqrt(3 * (1 - cosine * cosine))
        projector = Entries(xp, tuple(a - largest for a in b.diagonal), b.above).cofactors()
        share = -1.5 * largest / xp.where(r > 0, sum(projector.diagonal), xp.ones_like(r))
        left = projector.scaled(share)
        diagonal = tuple(a + largest / 2 + c for a, c in zip(b.diagonal, left.diagonal, strict=True))
        rest = Entries(xp, diagonal, tuple(z + c for z, c in zip(b.above, left.above, strict=True)))
        near = -largest / 2 - rest.norm() / 2**0.5
        return mean + spread * xp.where(r > 0, near, apart)

    def _square(self, z):
        real, imaginary = self.xp.real(z), self.xp.imag(z)
        return real * real + imaginary * imaginary
