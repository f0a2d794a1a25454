"""A matrix of few entries times nine columns: one register a row of v, one multiplication an entry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from llvmlite import ir

from mpiflow.engine.tiles import power_of_two
from mpiflow.vector.lanes import I64
from mpiflow.vector.machine import Code, lanes


class Sparse:
    """Entries by rows; a row's are summed in the order given, in their own precision."""

    def __init__(self, pieces: Sequence[tuple], shape: tuple[int, int], precision: str):
        """pieces: (row, column, value) arrays, ascending in rows from piece to piece and within each."""
        self.shape, self.precision = shape, precision
        rows, columns, values = ([piece[k] for piece in pieces] or [np.empty(0)] for k in range(3))
        counts = sum(np.bincount(row.astype(np.int64), minlength=shape[0]) for row in rows)
        self.starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self.columns = np.concatenate([column.astype(np.int32) for column in columns])
        self.values = np.concatenate([value.astype(precision) for value in values])

    def __matmul__(self, v: np.ndarray) -> np.ndarray:
        """v: (M, c) float64. Returns (N, c) float64."""
        width, unit = lanes(self.precision), power_of_two(np.abs(v).max(initial=0.0))
        registers = -(-v.shape[1] // width)
        padded = np.zeros((self.shape[1], registers * width), self.precision)
        padded[:, : v.shape[1]] = v / unit
        u = np.empty((self.shape[0], registers * width), self.precision)
        arrays = (self.values, self.columns, self.starts, padded, u)
        _product(self.precision, registers)(*(a.ctypes.data for a in arrays), self.shape[0])
        return u[:, : v.shape[1]] * np.float64(unit)

    def added(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """u + A v."""
        return u + self @ v

    @property
    def nnz(self) -> int:
        return len(self.values)

    @property
    def bytes(self) -> int:
        return self.starts.nbytes + self.columns.nbytes + self.values.nbytes


@cache
def _product(precision: str, registers: int) -> Callable:
    """f(values, columns, starts, v, u, rows): u[row] = sum of values v[column] over the row's entries."""
    code = Code(precision, 5, 1)
    values, columns, starts, v, u, rows = code.function.args
    b, length = code.builder, registers * code.vector.count

    def row_body(row, _):
        first, last = (b.load(code.at(starts, b.add(row, I64(k)), I64), typ=I64) for k in (0, 1))

        def entry(k, totals):
            column = b.sext(b.load(code.at(columns, k, ir.IntType(32)), typ=ir.IntType(32)), I64)
            (value,) = code.broadcast(values, k, 1)
            source = code.load(v, b.mul(column, I64(length)), registers)
            return [value.fma(part, total) for part, total in zip(source, totals, strict=True)]

        for k, total in enumerate(code.loop(first, last, 1, entry, code.zeros(registers))):
            code.store(total, u, b.add(b.mul(row, I64(length)), I64(k * code.vector.count)))

    code.loop(I64(0), rows, 1, row_body)
    return code.compiled()
