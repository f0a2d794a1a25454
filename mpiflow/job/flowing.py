"""A run file on points of X at work: the one place where points are drawn, a flow is built and stepped, and is measured."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from mpiflow import dataset
from mpiflow.comm import Comm
from mpiflow.config import Config
from mpiflow.dataset import PointSet
from mpiflow.flows.history import Record
from mpiflow.flows.predictor import Predictor
from mpiflow.job import evaluate, report
from mpiflow.job.driven import Driven
from mpiflow.job.restart import Restart
from mpiflow.measures import sigma
from mpiflow.methods import registry


class Flowing(Driven):
    """The points of a run file, and the flow on them, built when it is first asked for; all of it collective.

    exchanged: (levels,) int64, bytes that this rank received at each level of the merge. stored: attributes of the state
    that the flow resumes from, {} for none. step: the last one that is done.
    """

    report = report
    beginning = "sample and cluster"

    def __init__(self, comm: Comm, config: Config, surface, train: PointSet, test: PointSet, exchanged, stored: dict):
        super().__init__(comm, config, surface, stored)
        self.train, self.test, self.exchanged = train, test, exchanged

    @classmethod
    def begun(cls, comm: Comm, config: Config, surface=None) -> Flowing:
        """On the points of the run file: sampled, clustered, merged and dealt out. Raises InputError as they do."""
        surface = surface or config.surface()
        train, exchanged = dataset.train_points(comm, surface, config)
        test = dataset.test_points(comm, surface, config, train)
        return cls(comm, config, surface, train, test, exchanged, {})

    @classmethod
    def resumed(cls, config: Config, surface, restart: Restart) -> Flowing:
        """On the points of a state, after its step; `restore` brings its flow."""
        points = restart.points(config)
        made = cls(restart.comm, config, surface, *points, np.zeros(0, np.int64), restart.attributes)
        return made.after(restart)

    def restore(self, restart: Restart) -> None:
        """Go on where a state was written."""
        self.flow.restore(restart.reader(self.train.layout.rows))

    @cached_property
    def flow(self):
        """The flow of the run file. Raises InputError where there is none on these points."""
        return registry.of(self.config).flow(self.config, self.surface, self.train, self.stored)

    @cached_property
    def watched(self):
        """A function that gives the metric at the own unseen points as of its call: (n_r, d, d) complex128."""
        return self.flow.watch(self.test)

    def prepare(self) -> None:
        """Build the flow, and what the looks at the unseen points take."""
        _ = self.flow, self.watched

    def look(self) -> float:
        """sigma on the unseen points now, remembered."""
        value = sigma(self.test.layout, self.test.points, self.watched())
        self.history.look(self.step, {"sigma_test": value})
        return value

    def opening(self) -> str:
        """Points, clusters and engine."""
        layout = self.train.layout
        sizes = [len(member) for member in layout.members]
        how = self.flow.attributes()
        through = f" through {how['tiles']}, by its formula, which is not compiled" if "tiles" in how else ""
        shown = f"{len(sizes)} clusters of {min(sizes)} to {max(sizes)} points" if len(sizes) > 1 else "no clusters"
        return (
            f"{layout.total} train and {self.test.layout.total} test points on {self.comm.size} ranks, {shown}, "
            f"imbalance {layout.imbalance:.2f}, {how['engine']}{through}"
        )

    def shown(self, record: Record) -> str:
        """sigma on the train points."""
        return f"sigma {record.sigma_train:.4g}"

    @property
    def imbalance(self) -> float:
        """Of the train points."""
        return float(self.train.layout.imbalance)

    def constant(self) -> dict[str, np.ndarray]:
        """Points, their metric g_FS, and clusters."""
        return self._points() | self._clusters()

    def gathered(self) -> dict[str, np.ndarray] | None:
        """What the flow keeps, used up here so that nothing is in memory twice, and the metric of the unseen points."""
        flow = self.flow.snapshot()
        metric = self.test.layout.gather(self.watched())
        if self.comm.rank:
            return None
        return flow | {"metric/current": np.concatenate([flow.pop("metric/current"), metric])}

    def _points(self) -> dict[str, np.ndarray]:
        sets = (self.train, self.test)
        columns = {
            "points/z": [s.layout.gather(s.points.z) for s in sets],
            "points/chart": [s.layout.gather(s.points.chart) for s in sets],
            "points/weight": [s.layout.gather(s.points.weight) for s in sets],
            "points/omega2": [s.layout.gather(s.points.omega2) for s in sets],
            "metric/reference": [s.layout.gather(s.reference(self.surface)) for s in sets],
            "clusters/batch_label": [s.layout.gather(s.batch_label) for s in sets],
            "clusters/label": [s.layout.label() for s in sets],
        }
        return {name: np.concatenate(parts) for name, parts in columns.items()} if self.comm.rank == 0 else {}

    def _clusters(self) -> dict[str, np.ndarray]:
        train, test = self.train.layout.total, self.test.layout.total
        found = {
            "split/train": np.arange(train),
            "split/test": np.arange(train, train + test),
            "clusters/size": np.array([len(member) for member in self.train.layout.members]),
        }
        exchanged = self.comm.gather(self.exchanged)
        if exchanged and len(exchanged[0]):
            found["timing/exchange"] = np.stack(exchanged)
        return found

    def predictor(self) -> Predictor:
        """The metric at every point, as of now."""
        return self.flow.predictor()

    def table(self) -> list[evaluate.Row]:
        """The metric on train and unseen points, then the baselines on unseen ones."""
        sets = {"train": self.train, "unseen": self.test}
        return evaluate.table(self.surface, self.predictor(), self.train, sets)
