"""Kernel sums over clusters and ranks: which sources a target feels, and how their rows reach it (architecture, Coupling)."""

from __future__ import annotations

from functools import partial

import numpy as np

from mpiflow import backend, clock, engine
from mpiflow.backend import Device
from mpiflow.engine.near_pairs import correction
from mpiflow.ranks.exchange import DeviceExchange, Exchange
from mpiflow.ranks.shards import Layout


class Coupling:
    """The train points as sources of a frozen kernel, one ascending source list a cluster.

    layout: of the train points; z: (n_r, n+1) complex, their own rows. lists: source numbers of each cluster (the cluster
    itself for `none`, with its neighbours for `halo`, every train point for `all`). normalisation: updates are divided by
    1 (`sum`), the number of all train points (`mean`) or the frozen row sum over the source list (`row`). cuda_aware:
    whether rows travel between devices without a stop on the host. options: of `engine.build`.
    """

    def __init__(
        self,
        kernel,
        layout: Layout,
        z: np.ndarray,
        lists: list[np.ndarray],
        normalisation: str = "sum",
        cuda_aware: bool = False,
        **options,
    ):
        self.kernel, self.layout, self.z, self.lists = kernel, layout, z, lists
        self.normalisation, self.options = normalisation, options
        self.device = backend.device(options.get("backend", "cpu")) if cuda_aware else None

    def onto(self, targets: Layout, z: np.ndarray, once: bool = False) -> KernelSum:
        """The kernel sum at targets: their layout over the same clusters, and z (n_r, n+1) complex of their own rows.

        once: it will be applied a single time, so that tiles are streamed and not kept; on the CPU with the same bits.
        """
        return KernelSum(self, targets, z, self._streamed() if once else self.options)

    def onto_itself(self) -> KernelSum | SymmetricSum:
        """The kernel sum at the train points."""
        if self.options.get("mode") == "symmetric":
            return SymmetricSum(self)
        return self.onto(self.layout, self.z)

    def _streamed(self) -> dict:
        kept = self.options.get("mode") == "resident"
        return self.options | ({"mode": "streamed"} if kept and self.options.get("backend", "cpu") == "cpu" else {})


class KernelSum:
    """u(x) = sum_x' K(x, x') v(x') / norm(x) at this rank's targets, x' over the source list of the target's cluster."""

    def __init__(self, coupling: Coupling, targets: Layout, z: np.ndarray, options: dict):
        lists = {cluster: coupling.lists[cluster] for cluster, _ in targets.runs}
        wanted = np.unique(np.concatenate([np.zeros(0, np.int64), *lists.values()]))
        self.exchange = Exchange(coupling.layout.comm, coupling.layout.rows, wanted)
        source_z = self.exchange(coupling.z)
        self.put, self.take = np.asarray, partial(np.take, axis=0)
        self.count = len(z)
        self.groups = []
        for cluster, run in targets.runs:
            index = np.searchsorted(wanted, lists[cluster])
            built = engine.build(coupling.kernel, z[run], source_z[index], **options)
            self.groups.append((run, index, built))
        self.norm: float | np.ndarray = float(coupling.layout.total) if coupling.normalisation == "mean" else 1.0
        if coupling.device is not None:
            self._stay_on(coupling.device)
        if coupling.normalisation == "row":
            self.norm = self.apply(np.ones((len(coupling.z), 1)))

    def apply(self, v: np.ndarray) -> np.ndarray:
        """v: (n_r, c) float64 on the own train rows. Returns u: (n_targets_r, c) float64. Collective."""
        with clock.part("exchange of v"):
            rows = self.exchange(self.put(v))
        u = np.empty((self.count, v.shape[1]))
        with clock.part("kernel"):
            for run, index, built in self.groups:
                u[run] = built.apply(self.take(rows, index))
        return u / self.norm

    def _stay_on(self, device: Device) -> None:
        """From here on rows are exchanged and picked on the device."""
        self.exchange = DeviceExchange(self.exchange, device)
        self.groups = [(run, device.put(index), built) for run, index, built in self.groups]
        self.put, self.take = device.put, partial(device.xp.take, axis=0)

    @property
    def bytes(self) -> int:
        """Bytes that this rank's engines hold between steps."""
        return sum(built.bytes for _, _, built in self.groups)

    @property
    def names(self) -> list[str]:
        """Names of the engines in use on this rank, without repeats."""
        return sorted({built.name for _, _, built in self.groups})


class SymmetricSum:
    """u(x) = sum_x' K(x, x') v(x') / norm(x) at the train points, all coupled to all: each pair computed once, on any rank.

    Every rank has all points and v; what the ranks give is added in integers, whose sums do not depend on the ranks.
    """

    names = ["symmetric"]

    def __init__(self, coupling: Coupling):
        layout = coupling.layout
        self.layout, precision = layout, coupling.options.get("precision", "float64")
        self.exchange = Exchange(layout.comm, layout.rows, np.arange(layout.total))
        z = self.exchange(coupling.z)
        self.built = engine.Symmetric(coupling.kernel, z, precision, layout.comm.rank, layout.comm.size)
        self.near = correction(coupling.kernel, coupling.z, z, precision)
        self.norm: float | np.ndarray = float(layout.total) if coupling.normalisation == "mean" else 1.0
        if coupling.normalisation == "row":
            self.norm = self.apply(np.ones((len(coupling.z), 1)))

    def apply(self, v: np.ndarray) -> np.ndarray:
        """v: (n_r, c) float64 on the own train rows. Returns u: (n_r, c) float64 there. Collective."""
        with clock.part("exchange of v"):
            every = self.exchange(v)
        with clock.part("kernel"):
            shares, unit = self.built.shares(every)
        # Counted with v, as what a step moves between ranks.
        with clock.part("exchange of v"):
            total = self.layout.comm.sum_integers(shares)
        own = self.layout.rows
        u = total[own] * (unit * self.built.factors[own])[:, None]
        return (u if self.near is None else u + self.near @ every) / self.norm

    @property
    def bytes(self) -> int:
        """Bytes that this rank's engine holds between steps."""
        return self.built.bytes
