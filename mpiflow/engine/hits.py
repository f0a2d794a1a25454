"""Lists of what a compiled search has found: (i, j, mask of lanes) of each hit, and perhaps a value a lane."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from llvmlite import ir

from mpiflow.vector.lanes import I64
from mpiflow.vector.machine import Code, lanes

I32 = ir.IntType(32)


class Hits:
    """The list that a search writes to, as long as the longest search so far needed."""

    def __init__(self, precision: str, valued: bool = False):
        self.width, self.precision, self.valued = lanes(precision), precision, valued
        self._reserve(1 << 14)

    def of(self, search: Callable[[np.ndarray, np.ndarray], int]) -> tuple[np.ndarray, ...]:
        """i, j, lane (int64) and the value (None where the search gives none) of every lane that was hit, in order.

        search writes into the (capacity, 3) and (capacity, lanes) arrays it is given and returns how many hits there
        are; if they are more than the capacity it is asked again.
        """
        count = search(self.found, self.values)
        if count > len(self.found):
            self._reserve(count + count // 8)
            count = search(self.found, self.values)
        i, j, mask = self.found[:count].T
        bits = np.unpackbits(np.ascontiguousarray(mask).view(np.uint8).reshape(-1, 4), axis=1, bitorder="little")
        place = np.flatnonzero(bits[:, : self.width])
        hit, lane = np.divmod(place, self.width)
        values = self.values[:count].reshape(-1)[place] if self.valued else None
        return i[hit].astype(np.int64), j[hit].astype(np.int64), lane, values

    def _reserve(self, capacity: int) -> None:
        self.found = np.empty((capacity, 3), "<i4")
        self.values = np.empty((capacity if self.valued else 0, self.width), self.precision)


def records(code: Code, found, capacity) -> tuple[Callable, ir.Value]:
    """record(i, j, mask), which writes to `found` and returns the hit's place, and the address of the count of hits.

    The count goes on past the capacity (the last place is then overwritten): the caller learns what it must give.
    """
    b = code.builder
    count = b.alloca(I64)
    b.store(I64(0), count)
    last = b.sub(capacity, I64(1))

    def record(i, j, mask) -> ir.Value:
        known = b.load(count, typ=I64)
        place = b.select(b.icmp_signed("<", known, last), known, last)
        for k, field in enumerate((b.trunc(i, I32), b.trunc(j, I32), b.zext(mask, I32))):
            b.store(field, code.at(found, b.add(b.mul(place, I64(3)), I64(k)), I32))
        b.store(b.add(known, I64(1)), count)
        return place

    return record, count
