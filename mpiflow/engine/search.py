"""Which pairs of points overlap by at least so much: one fused sweep over all pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial

import numpy as np
from llvmlite import ir

from mpiflow.engine.hits import Hits, records
from mpiflow.engine.tiles import SOURCES, UNROLL, even
from mpiflow.kernels.profile import Profile
from mpiflow.vector.lanes import I64, Lanes
from mpiflow.vector.machine import Code, grouped

# A float32 overlap |<x, y>|^2 of unit points is right to 1e-6 (measured: 5e-7 at most).
ROUNDING = 1e-6
# Targets a call: bounds the list of hits, and fits the radix sort of 16 bits.
_ROWS = 1024


def candidates(kernel, targets: np.ndarray, sources: np.ndarray, least: float, valued: str = "") -> Iterator[tuple]:
    """All pairs whose overlap is at least `least`, and some that fall short of it by up to 2e-6.

    Yields (i, j, value) for ascending stretches of i: indices (int64) of targets and sources, by i and then j;
    value: the kernel as tiles of the precision `valued` have it, None where that is "".
    """
    shape = kernel.profile(targets.shape[1] - 1, valued or "float32")
    return sweep(shape, targets, sources, least - ROUNDING, np.inf, kernel, bool(valued))


def sweep(
    shape: Profile, targets, sources, least: float, slack: float, kernel=None, valued: bool = False
) -> Iterator[tuple]:
    """As `candidates`, above a row's threshold, which starts at `least` and follows its best overlap less `slack`."""
    precision = shape.precision
    keep = slice(0, shape.numbers if valued else shape.coordinates)
    y = np.ascontiguousarray(even(shape.records(kernel, sources)[0][:, keep]), precision)
    limits = np.array([slack, *shape.parameters(kernel, 0.0)], precision)
    hits = Hits(precision, valued)
    for start in range(0, len(targets), _ROWS):
        rows = targets[start : start + _ROWS]
        x = grouped(shape.records(kernel, rows)[0][:, keep], precision)
        j, group, lane, value = hits.of(partial(_search, _searcher(shape, valued), x, y, least, limits))
        i = group * hits.width + lane
        # A row's sources are found in ascending order; a stable sort by the row keeps it.
        order = np.argsort(i.astype(np.uint16), kind="stable")
        order = order[(i[order] < len(rows)) & (j[order] < len(sources))]
        yield i[order] + start, j[order], None if value is None else value[order]


def _search(searcher: Callable, x, y, least: float, limits, found, values) -> int:
    thresholds = np.full((len(x), x.shape[2]), least, x.dtype)
    where = [array.ctypes.data for array in (x, y, thresholds, limits, found, values)]
    return searcher(*where, len(x), len(y), len(found))


@cache
def _searcher(shape: Profile, valued: bool) -> Callable:
    """f(x, y, thresholds, [slack, parameters], found, values, groups, sources, capacity): how many (j, group, mask)."""
    code, n = Code(shape.precision, 6, 3), shape.numbers if valued else shape.coordinates
    x, y, thresholds, limits, found, values, groups, sources, capacity = code.function.args
    b, width = code.builder, code.vector.count
    slack, *constants = code.broadcast(limits, I64(0), 1 + shape.n_parameters)
    record, count = records(code, found, capacity)

    def noted(point, source, place, group, mask):
        at = record(place, group, mask)
        if valued:
            code.store(shape.value(point, source, constants), values, b.mul(at, I64(width)))

    def row(group):
        point = code.load(x, b.mul(group, I64(n * width)), n)

        def body(j, carried):
            (threshold,) = carried
            places = [b.add(j, I64(step)) for step in range(UNROLL)]
            points = [code.broadcast(y, b.mul(place, I64(n)), n) for place in places]
            overlaps = [shape.overlap(point, source) for source in points]
            masks = [b.bitcast(overlap > threshold, ir.IntType(width)) for overlap in overlaps]
            hit, before, raised = masks[0], b.block, threshold
            for mask in masks[1:]:
                hit = b.or_(hit, mask)
            with b.if_then(b.icmp_unsigned("!=", hit, hit.type(0)), likely=False):
                for place, source, overlap, mask in zip(places, points, overlaps, masks, strict=True):
                    noted(point, source, place, group, mask)
                    raised = (overlap - slack).max(raised)
                inside = b.block
            after = b.phi(code.vector)
            after.add_incoming(threshold.value, before)
            after.add_incoming(raised.value, inside)
            return [Lanes(b, after)]

        return body

    def stretch(first, _):
        end = b.add(first, I64(SOURCES))
        end = b.select(b.icmp_signed("<", end, sources), end, sources)

        def group_body(group, _):
            at = b.mul(group, I64(width))
            (threshold,) = code.loop(first, end, UNROLL, row(group), code.load(thresholds, at, 1))
            code.store(threshold, thresholds, at)

        code.loop(I64(0), groups, 1, group_body)

    code.loop(I64(0), sources, SOURCES, stretch)
    return code.compiled(b.load(count, typ=I64))
