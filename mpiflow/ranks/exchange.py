"""Rows that one rank owns and another needs."""

from __future__ import annotations

import numpy as np

from mpiflow.backend import Device
from mpiflow.comm import Comm


class Exchange:
    """Moves rows, known by global numbers, from the ranks that own them to those that want them; built once, used each step.

    owned, wanted: int64 numbers on this rank; a number is owned by exactly one rank and wanted by any.
    Raises KeyError for a wanted number that nobody owns.
    """

    def __init__(self, comm: Comm, owned: np.ndarray, wanted: np.ndarray):
        self.comm = comm
        numbers = comm.allgather_rows(np.asarray(owned, np.int64))
        counts = comm.allgather(len(owned))
        rank = np.repeat(np.arange(comm.size), counts)
        local = np.concatenate([np.arange(count) for count in counts])
        order = np.argsort(numbers, kind="stable")
        place = np.searchsorted(numbers[order], wanted)
        found = order[np.minimum(place, len(order) - 1)] if len(order) else np.zeros(0, np.int64)
        if len(found) != len(wanted) or (numbers[found] != wanted).any():
            raise KeyError(f"no rank owns some of the {len(wanted)} wanted rows")
        by_rank = np.argsort(rank[found], kind="stable")
        self.back = np.argsort(by_rank)
        self.received = np.bincount(rank[found], minlength=comm.size)
        self.send = comm.swap_rows(np.split(local[found][by_rank], np.cumsum(self.received)[:-1]))

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Rows (n_owned, ...) of this rank's owned numbers to (n_wanted, ...) in the order of the wanted ones."""
        return np.concatenate(self.comm.swap_rows([rows[index] for index in self.send]))[self.back]


class DeviceExchange:
    """An exchange whose rows begin and end on the ranks' devices.

    direct: MPI reads and writes the devices' memory, for which it must be CUDA-aware; else rows that change their rank go
    through the host. What stays on a rank never leaves its device where there is but one.
    """

    def __init__(self, exchange: Exchange, device: Device, direct: bool = False):
        self.comm, self.device, self.direct = exchange.comm, device, direct
        self.sent, self.received = np.array([len(index) for index in exchange.send]), exchange.received
        self.order, self.back = device.put(np.concatenate(exchange.send)), device.put(exchange.back)

    def __call__(self, rows):
        """As of the exchange, rows (n_owned, c) float64 on the device to (n_wanted, c) there."""
        packed = self.device.xp.take(rows, self.order, axis=0)
        if self.comm.size > 1:
            packed = self._directly(packed) if self.direct else self._by_the_host(packed)
        return self.device.xp.take(packed, self.back, axis=0)

    def _directly(self, packed):
        columns = packed.shape[1]
        arrived = self.device.empty((int(self.received.sum()), columns), "float64")
        self.device.wait()
        self.comm.mpi.Alltoallv([packed, self.sent * columns], [arrived, self.received * columns])
        return arrived

    def _by_the_host(self, packed):
        parts = np.split(self.device.fetch(packed), np.cumsum(self.sent)[:-1])
        return self.device.put(np.concatenate(self.comm.swap_rows(parts)))
