"""Lines of P^n and a polynomial of degree n+1 that is given at run time: roots, points, charts; a line is a lane."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from mpiflow.vector.complex_lanes import Complex, flat, paired
from mpiflow.vector.lanes import I64
from mpiflow.vector.machine import Code, grouped, lanes
from mpiflow.vector.polish import gradient, polished
from mpiflow.vector.roots import aberth, expanded


def solved(lines: np.ndarray, exponents: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """All points with Q = 0 on each line, lines in groups that fill the lanes, the last group filled up.

    lines: (L, 2 size) complex, two points each. exponents: (T, size) int; coefficients: (T,) complex.
    Returns (groups, lanes, size roots, 3 size + 2) float64: of a point z as complex numbers, |dQ/dz_i|^2 and its chart (i, j).
    """
    size, exponents = exponents.shape[1], np.ascontiguousarray(exponents, np.int64)
    pairs = grouped(lines.view(np.float64), "float64")
    factors = np.repeat(np.nonzero(exponents + 1)[1], exponents.ravel())
    coefficients = np.ascontiguousarray(coefficients)
    table = np.empty((size, size + 1, 4, lanes("float64")))
    out = np.empty((len(pairs), size, 3 * size + 2, pairs.shape[2]))
    arrays = (pairs, factors, exponents, coefficients, table, out)
    _solver(size)(*(array.ctypes.data for array in arrays), len(pairs), len(exponents))
    return out.transpose(0, 3, 1, 2)


@cache
def _solver(size: int) -> Callable:
    """f(lines, factors, exponents, coefficients, table, out, groups, terms) for polynomials of degree `size`.

    lines: (groups, 4 size, lanes). factors: (terms, size), the coordinates that a monomial multiplies. out: (groups,
    size roots, 3 size + 2, lanes), a point's z, slopes and chart. table: memory for powers.
    """
    code = Code("float64", 6, 2)
    lines, factors, exponents, coefficients, table, out, groups, terms = code.function.args
    b, width = code.builder, code.vector.count

    def number(pointer, index):
        return paired(code.load(pointer, b.mul(index, I64(2 * width)), 2))[0]

    def monomial(integers, m):
        row = b.mul(m, I64(size))
        coefficient = Complex(*code.broadcast(coefficients, b.mul(m, I64(2)), 2))
        return coefficient, [code.integer(integers, b.add(row, I64(k))) for k in range(size)]

    def group(g, _):
        line = code.at(lines, b.mul(g, I64(4 * size * width)))
        here = code.at(out, b.mul(g, I64(size * (3 * size + 2) * width)))

        def factored(m):
            coefficient, row = monomial(factors, m)
            return coefficient, [(number(line, i), number(line, b.add(i, I64(size)))) for i in row]

        def point(k, _):
            record = code.at(here, b.mul(k, I64((3 * size + 2) * width)))
            root = number(record, I64(0))
            z = [root.fma(number(line, I64(size + i)), number(line, I64(i))) for i in range(size)]
            z, slope2, chart = polished(
                code, z, lambda z: gradient(code, z, table, lambda m: monomial(exponents, m), terms)
            )
            for place, register in enumerate([*flat(z), *slope2, *chart]):
                code.store(register, record, I64(place * width))

        for k, root in enumerate(aberth(code, expanded(code, size, factored, terms))):
            for part, register in enumerate(flat([root])):
                code.store(register, here, I64((k * (3 * size + 2) + part) * width))
        code.loop(I64(0), I64(size), 1, point)

    code.loop(I64(0), groups, 1, group)
    return code.compiled()
