"""The points in which random lines of P^n meet X: all n+1 roots, polished to rounding level (theory 2)."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from mpiflow.geometry.hypersurface import Hypersurface

# Aberth's iteration converges cubically; eighty rounds are reached only by multiple roots.
_ROUNDS = 80


def meet(surface: Hypersurface, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points of X on the lines through pairs of points of P^n.

    first, second: (L, n+1) complex. Returns z ((n+1) L, n+1) complex, patch-scaled, line by line, |Q| <= 1e-12; the
    chart (i, j) of each, int8 (theory 1); and |dQ/dz_i|^2, ((n+1) L, n+1) float64.
    """
    count, size = len(first) * surface.degree, surface.degree
    row = np.arange(size)
    factors = np.array([np.repeat(row, exponents) for exponents in surface.exponents])
    z, chart = np.empty((count, size), np.complex128), np.empty((count, 2), np.int8)
    slope2 = np.empty((count, size))
    _meet(first, second, factors, surface.exponents, surface.coefficients, z, chart, slope2)
    return z, chart, slope2


@njit(cache=True)
def _meet(first, second, factors, exponents, coefficients, z, chart, slope2):
    size = first.shape[1]
    poly, roots = np.empty(size + 1, np.complex128), np.empty(size, np.complex128)
    term, slope = np.empty(size + 1, np.complex128), np.empty(size, np.complex128)
    powers = np.ones((size, size + 1), np.complex128)
    for line in range(len(first)):
        _expand(first[line], second[line], factors, coefficients, poly, term)
        _aberth(poly, roots)
        for k in range(size):
            row = line * size + k
            for i in range(size):
                z[row, i] = first[line, i] + roots[k] * second[line, i]
            _polish(z[row], chart[row], slope2[row], exponents, coefficients, powers, slope)


@njit(cache=True)
def _expand(a, b, factors, coefficients, poly, term):
    """Coefficients of Q(a + t b) in t, ascending: each monomial is a product of n+1 linear factors."""
    size = len(a)
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
def _polish(point, chart, slope2, exponents, coefficients, powers, slope):
    """Scale to the patch; Newton in the coordinate that Q is most sensitive to; the chart and the slopes there.

    The roots of the expanded polynomial carry its rounding, those of Q itself do not.
    """
    size = len(point)
    top, best = 0, -1.0
    for i in range(size):
        square = point[i].real ** 2 + point[i].imag ** 2
        if square > best:
            top, best = i, square
    inverse = point[top].conjugate() / best
    for i in range(size):
        point[i] *= inverse
    point[top] = 1.0
    for again in range(3):
        for i in range(size):
            for e in range(1, size + 1):
                powers[i, e] = powers[i, e - 1] * point[i]
        value = _gradient(powers, exponents, coefficients, slope)
        largest, j = -1.0, 0
        for i in range(size):
            slope2[i] = slope[i].real ** 2 + slope[i].imag ** 2
            if i != top and slope2[i] > largest:
                largest, j = slope2[i], i
        # The last round only looks: chart and slopes are those of the final point.
        if again < 2 and largest > 0.0:
            point[j] -= value * slope[j].conjugate() / largest
    chart[0], chart[1] = top, j


@njit(cache=True)
def _gradient(powers, exponents, coefficients, slope):
    """Q, and its gradient into slope, from the powers of the coordinates."""
    size = len(slope)
    value = 0j
    slope[:] = 0
    for m in range(len(exponents)):
        product = coefficients[m]
        for i in range(size):
            if exponents[m, i]:
                product *= powers[i, exponents[m, i]]
        value += product
        for i in range(size):
            e = exponents[m, i]
            if e:
                partial = coefficients[m] * e * powers[i, e - 1]
                for other in range(size):
                    if other != i and exponents[m, other]:
                        partial *= powers[other, exponents[m, other]]
                slope[i] += partial
    return value
