"""The loop over pairs of blocks of a symmetric kernel: an entry is computed once and multiplied twice.

A block is compared with another in tiles of STRIP sources by GROUPS registers of targets. While a tile is computed its
products with the sources' v are summed; then, from the cache, those with the targets' v. What a pair of blocks gives is
rounded to fixed point and added as integers: such sums have the same bits in any order, so that any rank may compute
any pair.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from llvmlite import ir

from mpiflow.vector.lanes import I64, Lanes
from mpiflow.vector.machine import Code, aligned, lanes

#: Points of a block; a pair of blocks is what ranks deal out.
BLOCK = 512
#: Sources, and registers of targets, of a tile: 128 kB, which the second-level cache keeps.
STRIP, GROUPS = 128, 16
# Sources at a time, as their accumulators fit into the registers; columns up to which two of them do.
UNROLL, _FEW = 2, 12


def workspace(precision: str, columns: int) -> list[np.ndarray]:
    """What the loop works in: a tile, its sums by source, a block's sums by target."""
    width = lanes(precision)
    shapes = (GROUPS * STRIP * width, STRIP * columns * width, BLOCK * columns)
    return [aligned((n,), dtype) for n, dtype in zip(shapes, (precision, precision, "float64"), strict=True)]


@cache
def multiplied(profile, columns: int) -> Callable:
    """f(x, y, w, parameters, tile, strip, block, scale, out, pairs, count) adds to out what `count` pairs give.

    x[group, number, lane]: records of the targets; y[j, number + column]: those of the sources with their v;
    w[group, column, lane]: v of the targets; tile, strip, block: the workspace; scale: a float64 that products are
    multiplied with before they are rounded; out[group, column, lane]: int64; pairs[count, 2]: int64 numbers of blocks.
    """
    return _Loop(profile, columns).compiled()


class _Loop:
    """The code of one loop, from the pairs inwards."""

    def __init__(self, profile, columns: int):
        self.profile, self.columns, self.code = profile, columns, Code(profile.precision, 10, 1)
        self.b, self.width = self.code.builder, self.code.vector.count
        self.x, self.y, self.w, parameters, *rest = self.code.function.args
        self.tile, self.strip, self.block, scale, self.out, self.pairs, self.count = rest
        self.constants = self.code.broadcast(parameters, I64(0), profile.n_parameters)
        self.scale = self.b.load(scale, typ=ir.DoubleType())

    def compiled(self) -> Callable:
        self._each(self.count, self._pair)
        return self.code.compiled()

    def _pair(self, number) -> None:
        b, groups = self.b, BLOCK // self.width
        here, there = (self.code.integer(self.pairs, b.add(b.mul(number, I64(2)), I64(k))) for k in (0, 1))
        group, first = b.mul(here, I64(groups)), b.mul(there, I64(BLOCK))
        # A block with itself has both halves of its entries already.
        twice = b.select(b.icmp_signed("==", here, there), I64(0), I64(STRIP))
        self._clear(self.block, groups * self.columns, ir.DoubleType())

        def strip(j):
            self._clear(self.strip, STRIP * self.columns, self.code.scalar)
            self._each(I64(groups), lambda g: self._tile(group, g, j, twice), GROUPS)
            self._each(twice, lambda k: self._add_source(b.add(j, k), k))

        self._each(b.add(first, I64(BLOCK)), strip, STRIP, first)
        self._each(I64(groups * self.columns), lambda k: self._add_targets(group, k))

    def _tile(self, group, start, j, twice) -> None:
        """One tile: computed, multiplied and kept, then multiplied the other way."""
        self._each(I64(GROUPS), lambda g: self._row(group, self.b.add(start, g), g, j))
        at_once = UNROLL if self.columns <= _FEW else 1
        self._each(twice, lambda k: self._column(self.b.add(group, start), k, at_once), at_once)

    def _row(self, group, g, place, j) -> None:
        """The entries of a register of targets, kept in the tile; their sums go to the block."""
        b, n = self.b, self.profile.numbers
        point = self.code.load(self.x, b.mul(b.add(group, g), I64(n * self.width)), n)

        def body(k, totals):
            for step in range(UNROLL):
                source = b.add(k, I64(step))
                where = b.mul(b.add(j, source), I64(n + self.columns))
                record = self.code.broadcast(self.y, where, n + self.columns)
                entry = self.profile.value(point, record[:n], self.constants)
                self.code.store(entry, self.tile, self._entry(place, source))
                totals = [entry.fma(v, total) for v, total in zip(record[n:], totals, strict=True)]
            return totals

        totals = self.code.loop(I64(0), I64(STRIP), UNROLL, body, self.code.zeros(self.columns))
        self.code.add_wide(totals, self.block, b.mul(g, I64(self.columns * self.width)))

    def _column(self, group, k, at_once: int) -> None:
        """The kept entries of `at_once` sources; their sums go to the strip."""
        b, size = self.b, I64(self.columns * self.width)

        def body(g, totals):
            entries = [self.code.load(self.tile, self._entry(g, b.add(k, I64(s))), 1)[0] for s in range(at_once)]
            weights = self.code.load(self.w, b.mul(b.add(group, g), size), self.columns)
            terms = [(entry, weight) for entry in entries for weight in weights]
            return [entry.fma(weight, total) for (entry, weight), total in zip(terms, totals, strict=True)]

        first = b.mul(k, size)
        totals = self.code.load(self.strip, first, at_once * self.columns)
        for number, total in enumerate(self.code.loop(I64(0), I64(GROUPS), 1, body, totals)):
            self.code.store(total, self.strip, b.add(first, I64(number * self.width)))

    def _add_source(self, source, k) -> None:
        """The sums of one source, over their lanes, to its lane of out."""
        b, width = self.b, I64(self.width)
        group, lane = b.sdiv(source, width), b.srem(source, width)
        registers = self.code.load(self.strip, b.mul(k, I64(self.columns * self.width)), self.columns)
        for column, total in enumerate(registers):
            while total.value.type.count > 1:
                total = total.folded()
            number = b.mul(b.add(b.mul(group, I64(self.columns)), I64(column)), width)
            self._add(total, b.add(number, lane))

    def _add_targets(self, group, k) -> None:
        """One register of the block's sums to out."""
        kind, at = ir.VectorType(ir.DoubleType(), self.width), self.b.mul(k, I64(self.width))
        total = self.b.load(self.code.at(self.block, at, kind.element), typ=kind, align=8)
        first = self.b.mul(group, I64(self.columns * self.width))
        self._add(Lanes(self.b, total), self.b.add(first, at))

    def _add(self, sums: Lanes, index) -> None:
        term, where = sums.widened().integers(self.scale), self.code.at(self.out, index, I64)
        self.b.store(self.b.add(self.b.load(where, typ=term.type, align=8), term), where, align=8)

    def _entry(self, group, source):
        return self.b.mul(self.b.add(self.b.mul(group, I64(STRIP)), source), I64(self.width))

    def _each(self, stop, body: Callable, step: int = 1, start=None) -> None:
        def alone(k, _) -> None:
            body(k)

        self.code.loop(I64(0) if start is None else start, stop, step, alone)

    def _clear(self, pointer, registers: int, scalar: ir.Type) -> None:
        zero = ir.Constant(ir.VectorType(scalar, self.width), None)
        self._each(
            I64(registers),
            lambda k: self.b.store(zero, self.code.at(pointer, self.b.mul(k, I64(self.width)), scalar), align=4),
        )
