"""Kernel sums over clusters and ranks: which sources a target feels, and how their rows reach it (architecture, Coupling)."""

from __future__ import annotations

import numpy as np

from mpiflow import clock, engine
from mpiflow.backend import HOST, Device
from mpiflow.engine.device import corrections
from mpiflow.engine.near_pairs import correction
from mpiflow.errors import NumericalError
from mpiflow.modes import MODES, Mode, choice
from mpiflow.ranks.exchange import DeviceExchange, Exchange
from mpiflow.ranks.shards import Layout


class Coupling:
    """The train points as sources of a frozen kernel, one ascending source list a cluster.

    layout: of the train points; z: (n_r, n+1) complex, their own rows. lists: source numbers of each cluster (the cluster
    itself for `none`, with its neighbours for `halo`, every train point for `all`). normalisation: updates are divided by
    1 (`sum`), the number of all train points (`mean`) or the frozen row sum over the source list (`row`). device: where v
    and u lie. direct: whether rows travel between devices without a stop on the host. mode: of the engine, or the name of one
    of ours. options: of `modes.choice.build`.
    """

    def __init__(
        self,
        kernel,
        layout: Layout,
        z: np.ndarray,
        lists: list[np.ndarray],
        normalisation: str = "sum",
        device: Device = HOST,
        direct: bool = False,
        mode: Mode | str = "auto",
        **options,
    ):
        self.kernel, self.layout, self.z, self.lists = kernel, layout, z, lists
        self.normalisation, self.mode, self.options = normalisation, MODES.made(mode), options
        self.device, self.direct = device, direct

    def onto(self, targets: Layout, z: np.ndarray, once: bool = False) -> KernelSum:
        """The kernel sum at targets: their layout over the same clusters, and z (n_r, n+1) complex of their own rows.

        once: it will be applied a single time, so that tiles are streamed and not kept; on the CPU with the same bits.
        """
        on_cpu = self.options.get("backend", "cpu") == "cpu"
        return KernelSum(self, targets, z, self.mode.for_once if once and on_cpu else self.mode)

    def onto_itself(self) -> KernelSum | SymmetricSum:
        """The kernel sum at the train points."""
        return SymmetricSum(self) if self.mode.pairs else self.onto(self.layout, self.z)


class Sum:
    """u(x) = sum_x' K(x, x') v(x') / norm(x) at own targets, x' over the sources that they feel."""

    device: Device

    def apply(self, v):
        """v: (n_r, c) float64 on the own train rows. Returns u: (n_targets_r, c) float64 where v lies. Collective."""
        if isinstance(v, np.ndarray) and self.device is not HOST:
            return self.device.fetch(self.apply(self.device.put(v)))
        return self._applied(v) / self.norm

    def _normalise(self, coupling: Coupling) -> None:
        """Find the norm, by row sums where they are it. Raises NumericalError, on all ranks, where one is 0; collective."""
        self.norm = float(coupling.layout.total) if coupling.normalisation == "mean" else 1.0
        if coupling.normalisation != "row":
            return
        found = self.apply(np.ones((len(coupling.z), 1)))
        if coupling.layout.comm.any(not found.all()):
            raise NumericalError(
                'flow.normalisation = "row": some points feel no source at all, and nothing can be divided by their row sum of '
                '0; take a wider kernel, or flow.normalisation = "mean"'
            )
        self.norm = self.device.put(found)


class KernelSum(Sum):
    """u(x) = sum_x' K(x, x') v(x') / norm(x) at this rank's targets, x' over the source list of the target's cluster.

    One K for every column of v: components are independent, and each moves under the same kernel (HR 2.23).
    """

    def __init__(self, coupling: Coupling, targets: Layout, z: np.ndarray, mode: Mode):
        self.device = coupling.device
        lists = {cluster: coupling.lists[cluster] for cluster, _ in targets.runs}
        wanted = np.unique(np.concatenate([np.zeros(0, np.int64), *lists.values()]))
        exchange = Exchange(coupling.layout.comm, coupling.layout.rows, wanted)
        source_z = exchange(coupling.z)
        on_host = self.device is HOST
        self.exchange = exchange if on_host else DeviceExchange(exchange, self.device, coupling.direct)
        self.count = len(z)
        self.groups = []
        for cluster, run in targets.runs:
            index = np.searchsorted(wanted, lists[cluster])
            built = choice.build(coupling.kernel, z[run], source_z[index], mode=mode, **coupling.options)
            self.groups.append((run, self.device.put(index), built))
        self._normalise(coupling)

    def _applied(self, v):
        xp = self.device.xp
        with clock.part("exchange of v"):
            rows = self.exchange(v)
        u = self.device.empty((self.count, v.shape[1]), "float64")
        with clock.part("kernel"):
            for run, index, built in self.groups:
                u[run, :] = built.apply(xp.take(rows, index, axis=0))
            self.device.wait()
        return u

    @property
    def bytes(self) -> int:
        """Bytes that this rank's engines hold between steps."""
        return sum(built.bytes for _, _, built in self.groups)


class SymmetricSum(Sum):
    """u(x) = sum_x' K(x, x') v(x') / norm(x) at the train points, all coupled to all: each pair computed once, on any rank.

    Every rank has all points and v; what the ranks give is added in integers, whose sums do not depend on the ranks.
    """

    def __init__(self, coupling: Coupling):
        self.layout, self.device = coupling.layout, coupling.device
        comm, precision = self.layout.comm, coupling.options.get("precision", "float64")
        exchange = Exchange(comm, self.layout.rows, np.arange(self.layout.total))
        z, share = exchange(coupling.z), (comm.rank, comm.size)
        if self.device is HOST:
            self.exchange, self.built = exchange, engine.Symmetric(coupling.kernel, z, precision, *share)
            self.near = correction(coupling.kernel, coupling.z, z, precision)
        else:
            self.exchange = DeviceExchange(exchange, self.device, coupling.direct)
            self.built = engine.DeviceSymmetric(coupling.kernel, z, precision, self.device, *share)
            self.near = corrections(coupling.kernel, coupling.z, z, precision, self.device)
        self.own = self.device.put(np.asarray(self.layout.rows))
        self.factors = self.device.put(self.built.factors[self.layout.rows][:, None])
        self._normalise(coupling)

    def _applied(self, v):
        xp = self.device.xp
        with clock.part("exchange of v"):
            every = self.exchange(v)
        with clock.part("kernel"):
            shares, unit = self.built.shares(every)
            self.device.wait()
        # Counted with v, as what a step moves between ranks.
        with clock.part("exchange of v"):
            total = self._total(shares)
        u = xp.asarray(xp.take(total, self.own, axis=0), dtype=xp.float64) * (self.factors * unit)
        return u if self.near is None else self.near.added(u, every)

    def _total(self, shares):
        if self.layout.comm.size == 1:
            return shares
        return self.device.put(self.layout.comm.sum_integers(self.device.fetch(shares)))

    @property
    def bytes(self) -> int:
        """Bytes that this rank's engine holds between steps."""
        return self.built.bytes
