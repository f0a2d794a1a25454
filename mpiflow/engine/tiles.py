"""The three loops over a tile: multiply as it is computed, store it, multiply what was stored.

All take the sources in the same order and sum each stretch of SOURCES of them in the tile's precision, the
stretches in float64. A target's row is one lane throughout, so its bits depend on nothing but itself and the
sources: not on its tile, the other rows, or the engine.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from mpiflow.vector.lanes import I64
from mpiflow.vector.machine import Code

#: Sources in a stretch: its records stay in the second-level cache while all targets pass.
SOURCES = 1024
# Two sources at a time: one's arithmetic fills the other's waits.
UNROLL = 2


@cache
def streamed(profile, columns: int) -> Callable:
    """f(x, y, parameters, out, groups, sources): out[g, c, lane] += sum_j K(x, y_j) v[j, c]."""
    code, n = Code(profile.precision, 4, 2), profile.numbers
    x, y, parameters, out, groups, sources = code.function.args
    constants = code.broadcast(parameters, I64(0), profile.n_parameters)

    def row(group):
        point = code.load(x, code.builder.mul(group, I64(n * code.vector.count)), n)

        def term(j, totals):
            record = code.broadcast(y, code.builder.mul(j, I64(n + columns)), n + columns)
            k = profile.value(point, record[:n], constants)
            return [k.fma(v, total) for v, total in zip(record[n:], totals, strict=True)]

        return term

    _sweep(code, out, groups, sources, columns, row)
    return code.compiled()


@cache
def multiplied(precision: str, columns: int) -> Callable:
    """f(k, v, out, groups, sources): as `streamed`, from stored tiles k[g, j, lane]."""
    code = Code(precision, 3, 2)
    k, v, out, groups, sources = code.function.args

    def row(group):
        first = code.builder.mul(group, sources)

        def term(j, totals):
            where = code.builder.mul(code.builder.add(first, j), I64(code.vector.count))
            (entry,) = code.load(k, where, 1)
            record = code.broadcast(v, code.builder.mul(j, I64(columns)), columns)
            return [entry.fma(c, total) for c, total in zip(record, totals, strict=True)]

        return term

    _sweep(code, out, groups, sources, columns, row)
    return code.compiled()


@cache
def filled(profile) -> Callable:
    """f(x, y, parameters, k, groups, sources): k[g, j, lane] = K(x, y_j)."""
    code, n = Code(profile.precision, 4, 2), profile.numbers
    x, y, parameters, k, groups, sources = code.function.args
    constants, b = code.broadcast(parameters, I64(0), profile.n_parameters), code.builder

    def group_body(group, _):
        point = code.load(x, b.mul(group, I64(n * code.vector.count)), n)

        def body(j, _):
            value = profile.value(point, code.broadcast(y, b.mul(j, I64(n)), n), constants)
            code.store(value, k, b.mul(b.add(b.mul(group, sources), j), I64(code.vector.count)))

        code.loop(I64(0), sources, 1, body)

    code.loop(I64(0), groups, 1, group_body)
    return code.compiled()


def _sweep(code: Code, out, groups, sources, columns: int, row: Callable) -> None:
    """Stretch by stretch, group by group: the sum of a row's terms, added to out in float64."""
    b = code.builder

    def stretch(first, _):
        end = b.add(first, I64(SOURCES))
        end = b.select(b.icmp_signed("<", end, sources), end, sources)

        def group_body(group, _):
            term = row(group)

            def body(j, totals):
                for step in range(UNROLL):
                    totals = term(b.add(j, I64(step)), totals)
                return totals

            totals = code.loop(first, end, UNROLL, body, code.zeros(columns))
            code.add_wide(totals, out, b.mul(group, I64(columns * code.vector.count)))

        code.loop(I64(0), groups, 1, group_body)

    code.loop(I64(0), sources, SOURCES, stretch)


def ungrouped(out: np.ndarray, rows: int) -> np.ndarray:
    """(groups, c, lanes) back to (rows, c)."""
    return out.transpose(0, 2, 1).reshape(-1, out.shape[1])[:rows]


def even(records: np.ndarray) -> np.ndarray:
    """Sources' records (M, p) with zero rows up to a multiple of UNROLL: they add 0 exactly."""
    return np.concatenate([records, np.zeros((-len(records) % UNROLL, records.shape[1]), records.dtype)])


def power_of_two(largest: float) -> float:
    """A scale that brings a largest value near 1 without rounding: float32 then neither overflows nor underflows."""
    return float(2.0 ** np.frexp(largest)[1]) if 0 < largest < np.inf else 1.0
