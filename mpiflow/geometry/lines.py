"""The points in which random lines of P^n meet X: all n+1 roots, polished to rounding level (theory 2).

Lines are solved side by side, one in each lane of the vector registers; no lane knows of its neighbours.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from mpiflow.geometry.hypersurface import Hypersurface
from mpiflow.geometry.polish import gradient, polished
from mpiflow.geometry.roots import aberth, expanded
from mpiflow.vector.complex_lanes import Complex, flat, paired
from mpiflow.vector.lanes import I64
from mpiflow.vector.machine import Code, grouped, lanes


def meet(
    surface: Hypersurface, first: np.ndarray, second: np.ndarray, wanted: tuple[int, int] | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points of X on the lines through pairs of points of P^n.

    first, second: (L, n+1) complex. Returns z ((n+1) L, n+1) complex, patch-scaled, line by line, |Q| <= 1e-12; the
    chart (i, j) of each, int8 (theory 1); and |dQ/dz_i|^2, ((n+1) L, n+1) float64. wanted: only points of this chart.
    """
    size, exponents = surface.degree, np.ascontiguousarray(surface.exponents, np.int64)
    pairs = grouped(np.concatenate([first, second], axis=1).view(np.float64), "float64")
    factors = np.repeat(np.nonzero(exponents + 1)[1], exponents.ravel())
    coefficients = np.ascontiguousarray(surface.coefficients)
    table = np.empty((size, size + 1, 4, lanes("float64")))
    out = np.empty((len(pairs), size, 3 * size + 2, pairs.shape[2]))
    arrays = (pairs, factors, exponents, coefficients, table, out)
    _solver(size)(*(array.ctypes.data for array in arrays), len(pairs), len(exponents))
    points = out.transpose(0, 3, 1, 2)
    if wanted is None:
        points = points.reshape(-1, *points.shape[2:])[: len(first)].reshape(-1, 3 * size + 2)
    else:
        accepted = (points[..., 3 * size :] == np.asarray(wanted)).all(-1)
        filled_up = np.arange(accepted[..., 0].size).reshape(accepted.shape[:2]) >= len(first)
        points = points[accepted & ~filled_up[..., None]]
    z, slope2, chart = points[:, : 2 * size], points[:, 2 * size : 3 * size], points[:, 3 * size :]
    return z.copy().view(np.complex128), chart.astype(np.int8), slope2


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
