"""Train and test points where the flow wants them: sampled, clustered, and dealt out as cluster blocks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mpiflow import clock, cymetric, engine, sampling
from mpiflow.clustering.clusters import cluster
from mpiflow.comm import Comm
from mpiflow.config import Config
from mpiflow.geometry.domain import Domain
from mpiflow.ranks.exchange import Exchange
from mpiflow.ranks.shards import Layout, split
from mpiflow.sampling import Points


@dataclass(frozen=True)
class PointSet:
    """Points of one kind: layout over clusters, the own rows, and for train points the label within each mini-batch."""

    layout: Layout
    points: Points
    batch_label: np.ndarray

    def reference(self, surface: Domain) -> np.ndarray:
        """g_FS of the own rows, in their charts: (n_r, d, d) complex128."""
        return surface.reference(self.points.z, self.points.chart)


def train_points(comm: Comm, surface: Domain, config: Config) -> tuple[PointSet, np.ndarray]:
    """Sample, cluster in mini-batches, merge, and deal out cluster blocks (HR 3.1).

    Also returns the bytes that this rank received at each level of the merge: (levels,) int64.
    """
    total, batch = config.points.train, config.clusters.batch
    shard = split(-(-total // batch), comm.size, comm.rank)
    own = np.arange(min(shard.start * batch, total), min(shard.stop * batch, total))
    points = drawn(comm, surface, config, sampling.TRAIN, total, config.run.seed, own)
    options = dict(config.clusters)
    found = cluster(comm, surface.embedded(points.z), int(own[0]) if len(own) else 0, total, **options)
    label = comm.allgather_rows(found.label)
    layout = train_layout(comm, label, config)
    exchange = Exchange(comm, own, layout.rows)
    return PointSet(layout, points.map(exchange), exchange(found.batch_label)), found.exchange_bytes


def test_points(comm: Comm, surface: Domain, config: Config, train: PointSet) -> PointSet:
    """Unseen points of a disjoint stream of lines, or noisy copies of train points where noise is asked for."""
    total = config.points.test
    share = split(total, comm.size, comm.rank)
    own = np.arange(share.start, share.stop)
    if config.points.noise:
        points = train.points.map(Exchange(comm, train.layout.rows, own))
        scale, project = config.points.noise, config.points.project
        points = sampling.noisy(surface, own, points, config.run.seed, sampling.TEST, scale, project)
    else:
        points = drawn(comm, surface, config, sampling.TEST, total, config.run.seed, own)
    return placed(comm, surface, own, points, train)


def drawn(comm: Comm, surface: Domain, config: Config, stream: int, total: int, seed: int, own: np.ndarray) -> Points:
    """The points of a stream whose numbers are `own`, wherever they were made; collective."""
    chart = None if config.points.chart == "all" else config.points.chart
    if config.points.place and stream in (sampling.TRAIN, sampling.TEST):
        return _read(comm, surface, config.points.place, stream, chart, total).map(lambda rows: rows[own])
    with clock.part("sample"):
        number, points = sampling.sample(comm, surface, total, seed, stream, chart)
    return points.map(Exchange(comm, number, own))


def _read(comm: Comm, surface: Domain, file: Path, stream: int, chart, total: int) -> Points:
    """All points of a stream from a file of cymetric's, on every rank; collective."""
    return comm.led(cymetric.read, file, surface, stream, chart, total)


def placed(comm: Comm, surface: Domain, own: np.ndarray, points: Points, train: PointSet) -> PointSet:
    """Points, known by their numbers `own`, dealt out as the targets of the train clusters; collective."""
    count = train.layout.count
    if count == 1:
        label = np.zeros(len(own), np.int32)
    else:
        label = cluster_of(train.layout, *map(surface.embedded, (train.points.z, points.z)))
    every = np.empty(sum(comm.allgather(len(own))), np.int32)
    every[comm.allgather_rows(own)] = comm.allgather_rows(label)
    layout = target_layout(comm, every, train.layout)
    return PointSet(layout, points.map(Exchange(comm, own, layout.rows)), np.full(len(layout.rows), -1, np.int32))


def cluster_of(layout: Layout, train_z: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Cluster of the nearest train point, the lowest numbered one on ties: z (N, M+1) to (N,) int32; collective.

    layout, train_z: of the train points; both sets as `Domain.embedded`. The one rule by which an unseen point belongs to a
    cluster (theory 5).
    """
    number = layout.comm.allgather_rows(layout.rows)
    every = np.empty((layout.total, train_z.shape[1]), np.complex128)
    every[number] = layout.comm.allgather_rows(train_z)
    return layout.label()[engine.nearest(z, every)[0]]


def train_layout(comm: Comm, label: np.ndarray, config: Config) -> Layout:
    """Ownership of the train points: a row costs as many kernel entries as it has sources."""
    count = config.clusters.count
    sizes = np.bincount(label, minlength=count)
    cost = [float(config.points.train if config.flow.coupling == "all" else size) for size in sizes]
    return Layout(comm, label, count, cost)


def target_layout(comm: Comm, label: np.ndarray, train: Layout) -> Layout:
    """Ownership of targets with the given clusters (N,): a row costs as many kernel entries as its cluster has members."""
    return Layout(comm, label, train.count, [max(1, len(member)) for member in train.members])


def first(surface: Domain, points: PointSet, count: int, train: PointSet) -> PointSet:
    """The points numbered below `count`, dealt out anew; collective."""
    own = points.layout.rows < count
    chosen = points.points.map(lambda rows: rows[own])
    return placed(points.layout.comm, surface, points.layout.rows[own], chosen, train)
