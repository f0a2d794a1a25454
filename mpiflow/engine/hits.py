"""Lists of what a compiled search has found: three int32 a hit, (i, j, mask of the lanes)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from llvmlite import ir

from mpiflow.engine.lanes import I64, Code

I32 = ir.IntType(32)


def collected(search: Callable[[np.ndarray], int], width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """i, j and lane, int64, of every set bit that `search` writes into the list it is given, and counts.

    It is called again with a longer list where the first was too short.
    """
    found = np.empty((1 << 16, 3), np.int32)
    count = search(found)
    if count > len(found):
        found = np.empty((count, 3), np.int32)
        count = search(found)
    i, j, mask = found[:count].T
    hit, lane = np.nonzero(mask[:, None] >> np.arange(width, dtype=np.int32) & 1)
    return i[hit].astype(np.int64), j[hit].astype(np.int64), lane


def records(code: Code, found, capacity) -> tuple[Callable, ir.Value]:
    """record(i, j, mask), which writes three int32 to `found`, and the address of the count of its calls.

    The count goes on past the capacity (the last place is then overwritten): the caller learns what it must give.
    """
    b = code.builder
    count = b.alloca(I64)
    b.store(I64(0), count)
    last = b.sub(capacity, I64(1))

    def record(i, j, mask):
        known = b.load(count, typ=I64)
        slot = b.mul(b.select(b.icmp_signed("<", known, last), known, last), I64(3))
        for k, field in enumerate((b.trunc(i, I32), b.trunc(j, I32), b.zext(mask, I32))):
            b.store(field, code.at(found, b.add(slot, I64(k)), I32))
        b.store(b.add(known, I64(1)), count)

    return record, count
