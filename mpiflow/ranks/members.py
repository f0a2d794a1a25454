"""Small pieces of work that do not need each other, dealt out to the ranks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from mpiflow.comm import Comm

Item, Found = TypeVar("Item"), TypeVar("Found")


def shared(comm: Comm, items: Sequence[Item], work: Callable[[Item], Found]) -> list[Found]:
    """work(item) of each, in their order and on every rank; rank r does every size-th of them from r on. Collective."""
    own = [(number, work(items[number])) for number in range(comm.rank, len(items), comm.size)]
    return [
        found for _, found in sorted((pair for rank in comm.allgather(own) for pair in rank), key=lambda pair: pair[0])
    ]
