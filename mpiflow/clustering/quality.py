"""How good clusters are: silhouette, sizes, diameters, nearest neighbours, in the Fubini-Study distance (theory 3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mpiflow import streams
from mpiflow.clustering.distances import ROWS, Tile, factors, sums_to_clusters, tiles
from mpiflow.comm import Comm
from mpiflow.ranks.shards import split

#: Points up to which every pair is looked at; beyond, as many are drawn and only their pairs are.
EXACT = 20_000


@dataclass(frozen=True)
class Silhouette:
    """Mean silhouette and the half-width of its 95 % interval: 0 where it is exact, over all points."""

    mean: float
    error: float
    points: int


@dataclass(frozen=True)
class Quality:
    """Measures of a clustering into C clusters.

    size: (C,) int64. diameter: (C,) float64, largest distance within each cluster. neighbours: the fraction of points
    whose nearest point belongs to the same cluster. Beyond EXACT points the last two are those of a sample.
    """

    silhouette: Silhouette
    size: np.ndarray
    diameter: np.ndarray
    neighbours: float


def quality(comm: Comm, z: np.ndarray, label: np.ndarray, exact: int = EXACT) -> Quality:
    """All measures of a clustering. z: (n_r, n+1) complex, label: (n_r,) int, own rows in rank order. Collective."""
    size = sizes(comm, label)
    sample = _sample(comm, z, label, exact)
    diameter, neighbours = _extremes(comm, *sample, len(size))
    return Quality(silhouette(comm, z, label, exact), size, diameter, neighbours)


def sizes(comm: Comm, label: np.ndarray) -> np.ndarray:
    """Points of each cluster: (n_r,) int to (C,) int64, C one more than the largest label. Collective."""
    count = max(comm.allgather(int(label.max(initial=-1)) + 1))
    return np.sum(comm.allgather(np.bincount(label, minlength=count)), axis=0)


def silhouette(comm: Comm, z: np.ndarray, label: np.ndarray, exact: int = EXACT) -> Silhouette:
    """Mean over points of (b - a) / max(a, b): a the mean distance to the own cluster, b to the nearest other one.

    z: (n_r, n+1) complex, label: (n_r,) int: this rank's rows, the ranks' in rank order. Exact up to `exact` points;
    beyond, that of a fixed random sample of so many. A point alone in its cluster has 0 (as in scikit-learn); with one
    cluster only the silhouette is undefined and nan is returned. The bits do not depend on the ranks. Collective.
    """
    total = sum(comm.allgather(len(z)))
    z, label = _sample(comm, z, label, exact)
    size = np.bincount(label)
    own = _own(comm, len(z))
    mine = pointwise(sums_to_clusters(z[own], z, label, len(size)), label[own], size)
    values = comm.allgather_rows(mine)
    error = 0.0 if total <= exact else 1.96 * values.std() / np.sqrt(len(values))
    return Silhouette(float(values.mean()), float(error), len(values))


def pointwise(sums: np.ndarray, label: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Silhouette of each point: sums (N, C) of distances to the members of clusters, label (N,), size (C,) to (N,)."""
    if np.count_nonzero(size) < 2:
        return np.full(len(label), np.nan)
    rows, alone = np.arange(len(label)), size[label] == 1
    a = sums[rows, label] / np.maximum(size[label] - 1, 1)
    mean = np.where(size > 0, sums / np.maximum(size, 1), np.inf)
    mean[rows, label] = np.inf
    b = mean.min(1)
    return np.where(alone, 0.0, (b - a) / np.maximum(np.maximum(a, b), np.finfo(float).tiny))


def _extremes(comm: Comm, z: np.ndarray, label: np.ndarray, count: int) -> tuple[np.ndarray, float]:
    """Largest distance within each cluster, and the fraction of points with the nearest neighbour in their own."""
    own = _own(comm, len(z))
    left, right = factors(z)
    far, near = np.ones(own.stop - own.start), np.full(own.stop - own.start, -np.inf)
    same = np.zeros(len(near), bool)
    tile = Tile()
    for rows, columns in tiles(len(near), len(z)):
        here = slice(own.start + rows.start, own.start + rows.stop)
        cosine = tile.products(left[here], right[columns])
        alike = label[here, None] == label[None, columns]
        far[rows] = np.minimum(far[rows], np.where(alike, cosine, 1.0).min(1))
        itself = np.arange(here.start, here.stop)[:, None] == np.arange(columns.start, columns.stop)
        cosine[itself] = -np.inf
        top = cosine.argmax(1)
        value = cosine[np.arange(len(top)), top]
        same[rows] = np.where(value > near[rows], alike[np.arange(len(top)), top], same[rows])
        near[rows] = np.maximum(near[rows], value)
    cosine = np.ones(count)
    np.minimum.at(cosine, label, comm.allgather_rows(far))
    same = comm.allgather_rows(same)
    return np.arccos(np.clip(cosine, -1.0, 1.0)) / 2, float(same.mean())


def _own(comm: Comm, total: int) -> slice:
    """Rows of a gathered array that this rank looks at: whole tiles, so that their bits do not depend on the ranks."""
    share = split(-(-total // ROWS), comm.size, comm.rank)
    return slice(min(share.start * ROWS, total), min(share.stop * ROWS, total))


def _sample(comm: Comm, z: np.ndarray, label: np.ndarray, exact: int) -> tuple[np.ndarray, np.ndarray]:
    """All points, or a sample of `exact` of them that depends on their number alone, on every rank."""
    counts = comm.allgather(len(z))
    total, first = sum(counts), sum(counts[: comm.rank])
    if total > exact:
        chosen = np.sort(streams.sample(total).choice(total, exact, replace=False)) - first
        chosen = chosen[(chosen >= 0) & (chosen < len(z))]
        z, label = z[chosen], label[chosen]
    return comm.allgather_rows(z), comm.allgather_rows(label)
