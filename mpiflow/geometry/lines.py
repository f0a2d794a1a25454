"""The points in which random lines of P^n meet X: all n+1 roots, polished to rounding level (theory 2)."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from mpiflow.geometry.hypersurface import Hypersurface

# Aberth's iteration converges cubically; eighty rounds are reached only by multiple roots.
_ROUNDS = 80


def meet(surface: Hypersurface, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Points of X on the lines through pairs of points of P^n.

    first, second: (L, n+1) complex. Returns ((n+1) L, n+1) complex, patch-scaled, line by line, |Q| <= 1e-12.
    """
    size = surface.degree
    factors = np.repeat(np.tile(np.arange(size), (len(surface.exponents), 1)).ravel(), surface.exponents.ravel())
    factors = factors.reshape(len(surface.exponents), size)
    z = np.empty((len(first) * size, size), np.complex128)
    _meet(first, second, factors, surface.coefficients, z)
    return z


@njit(cache=True)
def _meet(first, second, factors, coefficients, z):
    size = first.shape[1]
    poly = np.empty(size + 1, np.complex128)
    roots = np.empty(size, np.complex128)
    for line in range(len(first)):
        _expand(first[line], second[line], factors, coefficients, poly)
        _aberth(poly, roots)
        for k in range(size):
            point = z[line * size + k]
            for i in range(size):
                point[i] = first[line, i] + roots[k] * second[line, i]
            _scale(point)
            _polish(point, factors, coefficients)


@njit(cache=True)
def _expand(a, b, factors, coefficients, poly):
    """Coefficients of Q(a + t b) in t, ascending: each monomial is a product of n+1 linear factors."""
    size = len(a)
    term = np.empty(size + 1, np.complex128)
    poly[:] = 0
    for t in range(len(factors)):
        term[0] = coefficients[t]
        for count in range(size):
            p, q = a[factors[t, count]], b[factors[t, count]]
            term[count + 1] = term[count] * q
            for k in range(count, 0, -1):
                term[k] = term[k] * p + term[k - 1] * q
            term[0] *= p
        for k in range(size + 1):
            poly[k] += term[k]


@njit(cache=True)
def _square(x):
    return x.real * x.real + x.imag * x.imag


@njit(cache=True)
def _inverse(x):
    """1/x without the scaling that complex division does for the sake of overflow."""
    return x.conjugate() / _square(x)


@njit(cache=True)
def _aberth(poly, roots):
    degree = len(roots)
    radius = (_square(poly[0]) / _square(poly[degree])) ** (0.5 / degree)
    for k in range(degree):
        # An offset that no symmetry of the coefficients can share with the starting circle.
        angle = 2 * math.pi * k / degree + 0.4
        roots[k] = radius * complex(math.cos(angle), math.sin(angle))
    for _ in range(_ROUNDS):
        largest = 0.0
        for k in range(degree):
            x = roots[k]
            value, slope = poly[degree], 0j
            for c in range(degree - 1, -1, -1):
                slope = slope * x + value
                value = value * x + poly[c]
            if _square(slope) == 0.0:
                continue
            newton = value * _inverse(slope)
            repulsion = 0j
            for other in range(degree):
                if other != k and roots[other] != x:
                    repulsion += _inverse(x - roots[other])
            step = newton * _inverse(1 - newton * repulsion)
            roots[k] = x - step
            largest = max(largest, _square(step) / (_square(x) + 1e-300))
        # The next step would be about the cube of this one: below rounding.
        if largest < 1e-11:
            break


@njit(cache=True)
def _scale(point):
    top, best = 0, -1.0
    for i in range(len(point)):
        if _square(point[i]) > best:
            top, best = i, _square(point[i])
    inverse = _inverse(point[top])
    for i in range(len(point)):
        point[i] *= inverse
    point[top] = 1.0


@njit(cache=True)
def _polish(point, factors, coefficients):
    """Newton in the coordinate that Q is most sensitive to: the roots of the expanded polynomial carry its rounding."""
    size = len(point)
    slope = np.empty(size, np.complex128)
    for _ in range(2):
        value = 0j
        slope[:] = 0
        for t in range(len(factors)):
            product = coefficients[t]
            for count in range(size):
                product *= point[factors[t, count]]
            value += product
        # Which coordinate: the gradient by leaving out one factor at a time.
        for t in range(len(factors)):
            for count in range(size):
                partial = coefficients[t]
                for k in range(size):
                    if k != count:
                        partial *= point[factors[t, k]]
                slope[factors[t, count]] += partial
        best, j = -1.0, 0
        for i in range(size):
            if point[i] != 1.0 and _square(slope[i]) > best:
                best, j = _square(slope[i]), i
        if best > 0.0:
            point[j] -= value * _inverse(slope[j])
