"""Derivatives of real functions on X, d^alpha dbar^beta with |alpha|, |beta| <= order, and how they multiply.

A jet is a Hermitian (C, C) matrix over the multi-indices of d coordinates; kept is its lower triangle, (T, N) complex
for N points. Functions are known as polynomials in z, zbar on |z| = 1 and meant as functions of z/|z|.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import combinations_with_replacement
from math import comb

import numpy as np
from numba import njit

from mpiflow.geometry.domain import Frame


@cache
def multi_indices(size: int, order: int) -> list[tuple[int, ...]]:
    """Multi-indices in `size` coordinates up to `order`, as ascending tuples: (), (0,), ..., (0, 0), ..."""
    return [index for r in range(order + 1) for index in combinations_with_replacement(range(size), r)]


def triangle(size: int, order: int) -> int:
    """T, of derivatives in so many coordinates up to an order."""
    count = comb(size + order, order)
    return count * (count + 1) // 2


def lower(matrix: np.ndarray) -> np.ndarray:
    """Hermitian matrices (..., C, C) as their lower triangles (..., T), row by row."""
    t, u = np.tril_indices(matrix.shape[-1])
    return matrix[..., t, u]


def full(triangle: np.ndarray) -> np.ndarray:
    """The inverse of `lower`: (..., T) to (..., C, C) complex."""
    size = (round(np.sqrt(8 * triangle.shape[-1] + 1)) - 1) // 2
    t, u = np.tril_indices(size)
    matrix = np.empty((*triangle.shape[:-1], size, size), np.complex128)
    matrix[..., u, t] = triangle.conj()
    matrix[..., t, u] = triangle
    return matrix


def along(frame: Frame, ambient: np.ndarray, order: int) -> np.ndarray:
    """Derivatives along X, in the frame's normal coordinates, of functions of z/|z|, of each z_i/|z_i| in a product.

    ambient: (N, ..., C', C') complex, derivatives in z of polynomials with as many z_i as zbar_i. Returns (N, ..., C, C).
    With K_i = log|sigma_i|^2 and the Euler operators e_i = sum z_c d_c over a factor: f(sigma/|sigma|) =
    f - sum K_i e_i f + sum K_i K_j e_i e_j f / 2 on sigma.
    """
    extra = (None,) * (ambient.ndim - 3)
    rows = chain(frame, order)[(slice(None), *extra)]
    jet = rows @ ambient @ _dagger(rows)
    if order == 0:
        return jet
    d, factors = frame.vectors.shape[2], frame.factors()
    factors = [(part, *(each[(slice(None), *extra)] for each in rest)) for part, *rest in factors]
    eulers = [_euler(frame, part, order)[(slice(None), *extra)] for part, *_ in factors]
    one = [h for _, h, _, _ in factors]
    every = [e @ ambient @ _dagger(rows) for e in eulers]
    for h, e in zip(one, every, strict=True):
        jet[..., 1 : d + 1, 1 : d + 1] -= e[..., :1, :1] * h
    if order == 1:
        return jet
    pairs = multi_indices(d, 2)[d + 1 :]
    for e, (_, h, slope, quartic) in zip(every, factors, strict=True):
        for t, (a, c) in enumerate(pairs, d + 1):
            mixed = (
                h[..., a, :] * e[..., 1 + c, :1]
                + h[..., c, :] * e[..., 1 + a, :1]
                + slope[..., a, c, :] * e[..., 0, :1]
            )
            jet[..., t, 1 : d + 1] -= mixed
            jet[..., 1 : d + 1, t] -= mixed.conj()
            for u, (b, s) in enumerate(pairs, d + 1):
                jet[..., t, u] -= quartic[..., a, c, b, s] * e[..., 0, 0]
                jet[..., t, u] -= slope[..., a, c, b] * e[..., 0, 1 + s] + slope[..., a, c, s] * e[..., 0, 1 + b]
                for p, q in ((a, c), (c, a)):
                    jet[..., t, u] -= slope[..., b, s, p].conj() * e[..., 1 + q, 0]
                    jet[..., t, u] -= h[..., p, b] * e[..., 1 + q, 1 + s] + h[..., p, s] * e[..., 1 + q, 1 + b]
    for h, left in zip(one, eulers, strict=True):
        for other, right in zip(one, eulers, strict=True):
            twice = (left[..., :1, :] @ ambient @ _dagger(right[..., :1, :]))[..., 0, 0]
            for t, (a, c) in enumerate(pairs, d + 1):
                for u, (b, s) in enumerate(pairs, d + 1):
                    square = h[..., a, b] * other[..., c, s] + h[..., a, s] * other[..., c, b]
                    jet[..., t, u] += square * twice
    return jet


def weighted(frame: Frame, ambient: np.ndarray, powers: Sequence[int], order: int) -> np.ndarray:
    """Derivatives along X, in the frame's normal coordinates, of f exp(-sum m_i K_i), K_i = log|z_i|^2 of each factor.

    ambient: (N, C', C') complex, derivatives in z of f. powers: the m_i. Returns (N, C, C). By Leibniz' rule: at the point the
    exponential has the derivatives -M_(a bbar), -M_(ac bbar) and M_(a bbar) M_(c dbar) + M_(a dbar) M_(c bbar) -
    M_(ac bbar dbar), M = sum m_i K_i, and no others but their conjugates.
    """
    rows = chain(frame, order)
    return leibniz(frame, rows @ ambient @ _dagger(rows), powers, order)


def leibniz(frame: Frame, plain: np.ndarray, powers: Sequence[int], order: int) -> np.ndarray:
    """The same of derivatives along X that f has by the chain rule alone: (N, ..., C, C) complex, both."""
    jet = plain
    if order == 0:
        return jet
    d, plain, extra = frame.vectors.shape[2], jet.copy(), (None,) * (jet.ndim - 3)
    factors = frame.factors()
    one, slope, quartic = (
        sum(m * each[k] for m, each in zip(powers, factors, strict=True))[(slice(None), *extra)] for k in (1, 2, 3)
    )
    jet[..., 1 : d + 1, 1 : d + 1] -= plain[..., :1, :1] * one
    if order == 1:
        return jet
    first, pairs = plain[..., : d + 1, : d + 1], multi_indices(d, 2)[d + 1 :]
    for t, (a, c) in enumerate(pairs, d + 1):
        mixed = (
            one[..., a, :] * first[..., 1 + c, :1]
            + one[..., c, :] * first[..., 1 + a, :1]
            + slope[..., a, c, :] * first[..., 0, :1]
        )
        jet[..., t, 1 : d + 1] -= mixed
        jet[..., 1 : d + 1, t] -= mixed.conj()
        for u, (b, s) in enumerate(pairs, d + 1):
            twice = one[..., a, b] * one[..., c, s] + one[..., a, s] * one[..., c, b]
            jet[..., t, u] += (twice - quartic[..., a, c, b, s]) * first[..., 0, 0]
            jet[..., t, u] -= slope[..., a, c, b] * first[..., 0, 1 + s] + slope[..., a, c, s] * first[..., 0, 1 + b]
            for p, q in ((a, c), (c, a)):
                jet[..., t, u] -= slope[..., b, s, p].conj() * first[..., 1 + q, 0]
                jet[..., t, u] -= one[..., p, b] * first[..., 1 + q, 1 + s] + one[..., p, s] * first[..., 1 + q, 1 + b]
    return jet


def chain(frame: Frame, order: int) -> np.ndarray:
    """The chain rule of d^alpha as a matrix over ambient multi-indices: (N, C, C')."""
    count, size, d = frame.vectors.shape
    ambient, intrinsic = multi_indices(size, order), multi_indices(d, order)
    rows = np.zeros((count, len(intrinsic), len(ambient)), np.complex128)
    rows[:, 0, 0] = 1.0
    if order >= 1:
        rows[:, 1 : d + 1, 1 : size + 1] = frame.vectors.transpose(0, 2, 1)
    for t, (a, c) in enumerate(intrinsic[d + 1 :], d + 1):
        rows[:, t, 1 : size + 1] = frame.bend[:, :, a, c]
        rows[:, t, size + 1 :] = _symmetric(frame.vectors[:, :, a], frame.vectors[:, :, c])
    return rows


def _euler(frame: Frame, part: np.ndarray, order: int) -> np.ndarray:
    """That of d^alpha e for the Euler operator e of a factor, |alpha| < order: (N, 1 or 1 + d, C')."""
    count, size, d = frame.vectors.shape
    euler = np.zeros((count, 1 + d * (order > 1), len(multi_indices(size, order))), np.complex128)
    euler[:, 0, 1 : size + 1] = frame.z * part
    if order > 1:
        euler[:, 1:, 1 : size + 1] = (frame.vectors * part[:, None]).transpose(0, 2, 1)
        for a in range(d):
            euler[:, 1 + a, size + 1 :] = _symmetric(frame.z * part, frame.vectors[:, :, a])
    return euler


def _symmetric(v: np.ndarray, w: np.ndarray) -> np.ndarray:
    """The second derivative along v and w on the multi-indices (i, j), i <= j: (N, size) twice to (N, pairs)."""
    i, j = np.triu_indices(v.shape[1])
    return v[:, i] * w[:, j] + np.where(i == j, 0.0, v[:, j] * w[:, i])


def _dagger(m: np.ndarray) -> np.ndarray:
    return m.conj().swapaxes(-1, -2)


def product(q: np.ndarray, factor: np.ndarray, parent: np.ndarray, d: int, out: np.ndarray) -> None:
    """Leibniz' rule: out[m] = q[factor[m]] q[parent[m]] for jets q (P, T, N) complex in d coordinates."""
    order = 0 if q.shape[1] == 1 else 1 if q.shape[1] == (d + 1) * (d + 2) // 2 else 2
    _product(q, factor.astype(np.uint64), parent.astype(np.uint64), _leibniz(d, order), out)


@cache
def _leibniz(d: int, order: int) -> np.ndarray:
    """Rows (target, left, left conjugated, right, right conjugated) over the entries of lower triangles."""
    indices = multi_indices(d, order)
    place = {index: k for k, index in enumerate(indices)}
    splits = []
    for index in indices:
        subsets = range(2 ** len(index))
        take = [tuple(i for k, i in enumerate(index) if s >> k & 1) for s in subsets]
        splits.append([(place[take[s]], place[take[~s % len(take)]]) for s in subsets])
    rows = []
    for t, u in zip(*np.tril_indices(len(indices)), strict=True):
        for left, right in splits[t]:
            for left2, right2 in splits[u]:
                rows.append((_entry(t, u)[0], *_entry(left, left2), *_entry(right, right2)))
    return np.array(rows, np.uint64)


def _entry(t: int, u: int) -> tuple[int, int]:
    return (t * (t + 1) // 2 + u, 0) if t >= u else (u * (u + 1) // 2 + t, 1)


@njit(cache=True, fastmath={"contract"}, error_model="numpy")
def _product(q, factor, parent, table, out):
    for m in range(len(factor)):
        out[m] = 0.0
        left, right = q[factor[m]], q[parent[m]]
        for row in range(len(table)):
            target = out[m, table[row, 0]]
            a, b = left[table[row, 1]], right[table[row, 3]]
            # Conjugation as a sign: no branch inside the loop.
            s, t = 1.0 - 2.0 * table[row, 2], 1.0 - 2.0 * table[row, 4]
            for k in range(len(target)):
                re = a[k].real * b[k].real - s * t * a[k].imag * b[k].imag
                im = t * a[k].real * b[k].imag + s * a[k].imag * b[k].real
                target[k] += complex(re, im)
