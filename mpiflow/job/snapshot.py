"""All that a state holds, gathered on rank 0 in the order of the points."""

from __future__ import annotations

import numpy as np

from mpiflow import __version__
from mpiflow.comm import Comm
from mpiflow.config import Config
from mpiflow.dataset import PointSet
from mpiflow.doors import own
from mpiflow.flows.history import History
from mpiflow.geometry.domain import Domain
from mpiflow.state import provenance


class Snapshot:
    """The arrays and attributes of a run's states: what no step changes is gathered once. Collective to build.

    exchange_bytes: (levels,) int64, bytes that this rank received at each level of the merge; empty where it was not made.
    earlier: attributes of the state that the run resumed from, with its step; None for a new run.
    """

    def __init__(
        self,
        comm: Comm,
        config: Config,
        surface: Domain,
        train: PointSet,
        test: PointSet,
        exchange_bytes: np.ndarray,
        earlier: tuple[int, dict] | None,
        backend: str = "cpu",
    ):
        self.comm, self.config, self.train, self.test = comm, config, train, test
        self.constant = self._points(surface) | self._clusters(exchange_bytes)
        entry = provenance.entry(comm.size, backend, earlier[0] if earlier else None)
        chain = earlier[1]["provenance"] if earlier else ""
        self.provenance = provenance.append(chain, entry)
        #: What may have moved bits since the last start, in one line.
        self.moved = provenance.moved(chain, entry)

    def arrays(
        self, flow: dict[str, np.ndarray], unseen: np.ndarray, history: History, seconds: dict[str, float]
    ) -> dict[str, np.ndarray] | None:
        """All datasets of a state on rank 0, None elsewhere; collective.

        flow: its own snapshot, used up here so that nothing is in memory twice. unseen: (n_r, d, d), metric of the own test
        rows. seconds: of each stage on this rank.
        """
        metric = self.test.layout.gather(unseen)
        stages = {name: self.comm.allgather(value) for name, value in seconds.items()}
        if self.comm.rank:
            return None
        # The flow's own come first: the writer lets them go as it packs them.
        found = flow | {"metric/current": np.concatenate([flow.pop("metric/current"), metric])} | self.constant
        found |= {f"history/{name}": column for name, column in history.arrays().items()}
        return found | {f"timing/{name.replace(' ', '_')}": np.array(value) for name, value in stages.items()}

    def attributes(self, flow: dict[str, object]) -> dict[str, object]:
        """Attributes of a state; flow: those of the flow."""
        run = self.config.run
        return {
            "config": self.config.text(),
            "provenance": self.provenance,
            "mpiflow_version": __version__,
            "name": run.name,
            "seed": run.seed,
            "precision": run.precision,
            "ranks": self.comm.size,
            "imbalance": float(self.train.layout.imbalance),
            **own.attributes(self.config),
            **flow,
        }

    def _points(self, surface: Domain) -> dict[str, np.ndarray]:
        sets = (self.train, self.test)
        columns = {
            "points/z": [s.layout.gather(s.points.z) for s in sets],
            "points/chart": [s.layout.gather(s.points.chart) for s in sets],
            "points/weight": [s.layout.gather(s.points.weight) for s in sets],
            "points/omega2": [s.layout.gather(s.points.omega2) for s in sets],
            "metric/reference": [s.layout.gather(s.reference(surface)) for s in sets],
            "clusters/batch_label": [s.layout.gather(s.batch_label) for s in sets],
            "clusters/label": [s.layout.label() for s in sets],
        }
        return {name: np.concatenate(parts) for name, parts in columns.items()} if self.comm.rank == 0 else {}

    def _clusters(self, exchange_bytes: np.ndarray) -> dict[str, np.ndarray]:
        train, test = self.train.layout.total, self.test.layout.total
        found = {
            "split/train": np.arange(train),
            "split/test": np.arange(train, train + test),
            "clusters/size": np.array([len(member) for member in self.train.layout.members]),
        }
        exchanged = self.comm.gather(exchange_bytes)
        if exchanged and len(exchanged[0]):
            found["timing/exchange"] = np.stack(exchanged)
        return found
