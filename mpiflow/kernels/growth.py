"""How a basis of invariants grows, degree by degree: the most independent products first, then orbits that they miss."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg

from mpiflow.errors import InputError, NumericalError
from mpiflow.geometry.symmetry import Symmetry
from mpiflow.kernels.invariants import Invariants
from mpiflow.kernels.symmetrised import Products

#: Relative size below which a pivot belongs to a dependent function: independent ones have .05, rounding reaches 1e-6.
_DEPENDENT = 1e-4


def invariants(symmetry: Symmetry, degree: int, z: np.ndarray) -> Invariants:
    """The complete invariants of degree at most k of a hypersurface.

    z: (M, n+1) complex points of X that decide on independence, at least 1.2 for each feature. Raises InputError for a
    degree without features, NumericalError where independence cannot be told in float64.
    """
    if degree < 2:
        raise InputError(f"kernel.degree = {degree}: no invariant but the constant has it; take 2 or more")
    if len(z) < 1.2 * symmetry.count(degree):
        raise ValueError(f"{len(z)} points cannot tell {symmetry.count(degree)} features apart")
    z = z / np.linalg.norm(z, axis=1)[:, None]
    none = np.zeros((0, symmetry.size, 2), np.int64)
    start = np.zeros(1, np.int64)
    basis = Invariants(none, np.zeros(0), np.zeros(0), start, start, start, np.eye(1))
    grown = _Growth(basis, np.ones((1, len(z))))
    for k in range(2, degree + 1):
        wanted = symmetry.count(k) - symmetry.count(k - 1)
        if wanted:
            grown = _extended(grown, symmetry, k, wanted, z)
    return grown.basis


@dataclass(frozen=True)
class _Growth:
    """A basis on its way and its values (P+1, M) on the sample."""

    basis: Invariants
    values: np.ndarray

    def products(self, degree: int) -> np.ndarray:
        """Pairs (generator, parent) of basis functions, (C, 2) int, whose degrees add up."""
        known = self.basis.degree
        generators = np.flatnonzero((self.basis.factor < 0) & (known < degree))
        pairs = [(g, m) for g in generators for m in np.flatnonzero(known == degree - known[g])]
        return np.array(pairs, np.int64).reshape(-1, 2)


def _extended(grown: _Growth, symmetry: Symmetry, degree: int, wanted: int, z: np.ndarray) -> _Growth:
    """The functions of one more degree: products as far as they go, then new generators."""
    pairs = grown.products(degree)
    products = grown.values[pairs[:, 0]] * grown.values[pairs[:, 1]]
    chosen, last, first_left = _pivots(_rest(grown.values, products), wanted)
    pairs, products = pairs[chosen], products[chosen]
    missing = wanted - len(chosen)
    if missing:
        orthonormal = np.vstack([grown.values, _orthonormal(_rest(grown.values, products))])
        grown, orbits, last, first_left = _with_generators(grown, symmetry, degree, missing, z, orthonormal)
        fresh = -np.arange(len(grown.basis.generators) - missing, len(grown.basis.generators)) - 1
        pairs = np.vstack([pairs, np.stack([fresh, np.zeros_like(fresh)], axis=1)])
        products = np.vstack([products, orbits])
    if not last > 3 * first_left:
        raise NumericalError(
            f"kernel.degree = {degree}: the {wanted} new invariants are not told from dependent ones (pivots "
            f"{last:.1e} and {first_left:.1e}); take a lower degree"
        )
    return _appended(grown, degree, pairs, products)


def _with_generators(grown: _Growth, symmetry: Symmetry, degree: int, missing: int, z: np.ndarray, orthonormal):
    """The orbits that products miss join as generators, those that lean least on what is known; also their values."""
    orbits = np.array(symmetry.candidates(degree))
    values = np.concatenate([jet[:, :, 0].real for _, jet in Products(orbits).jets(z, 0)]).T
    shift, scale = values.mean(1), values.std(1)
    values = (values - shift[:, None]) / scale[:, None]
    chosen, last, first_left = _largest(_rest(orthonormal, values), missing)
    basis = grown.basis
    basis = replace(
        basis,
        generators=np.concatenate([basis.generators, orbits[chosen]]),
        shift=np.append(basis.shift, shift[chosen]),
        scale=np.append(basis.scale, scale[chosen]),
    )
    return replace(grown, basis=basis), values[chosen], last, first_left


def _appended(grown: _Growth, degree: int, pairs: np.ndarray, values: np.ndarray) -> _Growth:
    basis, old, new = grown.basis, len(grown.values), len(pairs)
    rest = _rest(grown.values, values)
    q = _orthonormal(rest)
    overlap = np.zeros((old + new, old + new))
    overlap[:old, :old] = basis.overlap
    overlap[:old, old:] = _mean(grown.values, values)
    overlap[old:, old:] = np.triu(_mean(q, rest))
    basis = replace(
        basis,
        degree=np.append(basis.degree, np.full(new, degree)),
        factor=np.append(basis.factor, pairs[:, 0]),
        parent=np.append(basis.parent, pairs[:, 1]),
        overlap=overlap,
    )
    return _Growth(basis, np.vstack([grown.values, q]))


def _pivots(rows: np.ndarray, wanted: int) -> tuple[np.ndarray, float, float]:
    """The most independent rows (at most `wanted`, ascending), the last pivot taken and the first one left, in rms."""
    if not len(rows):
        return np.zeros(0, np.int64), 1.0, 0.0
    # Random points: a few more of them than functions tell independence as well as all.
    few = rows[:, : 2 * wanted + 100]
    r, order = linalg.qr(few.T, mode="r", pivoting=True)
    size = np.append(np.abs(np.diag(r)) / np.sqrt(few.shape[1]), 0.0)
    rank = min(wanted, int((size > _DEPENDENT * size[0]).sum()))
    return np.sort(order[:rank]), size[rank - 1], size[rank]


def _largest(rows: np.ndarray, wanted: int) -> tuple[np.ndarray, float, float]:
    """As `_pivots` for a few out of many: again and again the largest row, then what the others are without it."""
    chosen, sizes = [], []
    for _ in range(wanted + 1):
        norm = np.sqrt((rows**2).mean(1))
        chosen.append(int(norm.argmax()))
        sizes.append(float(norm.max()))
        unit = rows[chosen[-1]] / norm.max()
        rows = rows - np.outer(rows @ unit / len(unit), unit)
    return np.sort(chosen[:wanted]), sizes[-2], sizes[-1]


def _rest(basis: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Rows less their projection on orthonormal rows; twice, for one pass loses what the second restores."""
    for _ in range(2):
        rows = rows - _mean(basis, rows).T @ basis
    return rows


def _orthonormal(rows: np.ndarray) -> np.ndarray:
    q, r = linalg.qr(rows.T, mode="economic")
    return (q * (np.sign(np.diag(r)) * np.sqrt(len(q)))).T


def _mean(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    return p @ q.T / p.shape[1]
