"""All that a state holds, gathered on rank 0."""

from __future__ import annotations

from itertools import chain

import numpy as np

from mpiflow import __version__
from mpiflow.doors import own
from mpiflow.job.driven import Driven
from mpiflow.state import provenance


class Snapshot:
    """The arrays and attributes of a run's states: what no step changes is gathered once. Collective to build.

    earlier: attributes of the state that the run resumed from, with its step; None for a new run.
    """

    def __init__(self, made: Driven, earlier: tuple[int, dict] | None, backend: str = "cpu"):
        self.made, self.comm, self.config = made, made.comm, made.config
        self.constant = made.constant()
        entry = provenance.entry(self.comm.size, backend, earlier[0] if earlier else None)
        starts = earlier[1]["provenance"] if earlier else ""
        self.provenance = provenance.append(starts, entry)
        #: What may have moved bits since the last start, in one line.
        self.moved = provenance.moved(starts, entry)

    def arrays(self, seconds: dict[str, float]) -> dict[str, np.ndarray] | None:
        """All datasets of a state as of now on rank 0, None elsewhere; collective. seconds: of each stage on this rank."""
        found = self.made.gathered()
        ranks = self.comm.gather(seconds)
        if ranks is None:
            return None
        # A rank that did more before this run may know parts that others do not.
        stages = {name: [each.get(name, 0.0) for each in ranks] for name in dict.fromkeys(chain.from_iterable(ranks))}
        # The flow's own come first: the writer lets them go as it packs them.
        found |= self.constant
        found |= {f"history/{name}": column for name, column in self.made.history.arrays().items()}
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
            "imbalance": self.made.imbalance,
            **own.attributes(self.config),
            **flow,
        }
