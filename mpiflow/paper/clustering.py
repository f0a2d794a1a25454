"""Figure 2 and the silhouettes of HR 3.1: points unclustered, merged from mini-batches, clustered in one batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mpiflow.clustering.clusters import cluster
from mpiflow.clustering.quality import silhouette
from mpiflow.comm import Comm
from mpiflow.geometry.families.fermat import Fermat
from mpiflow.geometry.projective import distances
from mpiflow.paper.claims import Claim
from mpiflow.paper.picture import picture, show
from mpiflow.ranks.shards import split
from mpiflow.sampling import TRAIN, sample

TITLE = "Figure 2: heatmaps of clusterings and their silhouettes (HR 3.1)"
SIZES = {"laptop": 1000, "node": 5000, "cluster": 20_000}
#: Mini-batches, and numbers of clusters for which silhouettes are told; the picture shows the first.
BATCHES, COUNTS = 5, (5, 10, 20)
# Points of the picture: more cannot be seen in it.
_SHOWN = 1000


@dataclass(frozen=True)
class Row:
    """A way to cluster: the paper's silhouette, where it gives one, and ours for each of COUNTS."""

    name: str
    paper: float | None
    ours: tuple[float, ...]


def run(comm: Comm, out: Path, size: int, say: Callable[[str], None], seed: int = 1) -> list[Row]:
    """Draw out/clustering.png, say the table of silhouettes, and return it. Collective.

    size: points of the Fermat quintic, all charts, in BATCHES mini-batches; 1000 in the paper.
    """
    z = sample(Comm(), Fermat().domain(), size, seed, TRAIN)[1].z  # a few thousand points: every rank has them all
    batch = -(-size // BATCHES)
    ways = {
        "mini-batches, greedy merge": (0.016, lambda count: labels(comm, z, count, batch, "greedy")),
        "one batch": (-0.011, lambda count: labels(comm, z, count, size, "greedy")),
        "Birch on Re z, Im z": (-0.032, lambda count: birch(comm, z, count)),
        "mini-batches, assignment": (None, lambda count: labels(comm, z, count, batch, "assignment")),
        "mini-batches, moments": (None, lambda count: labels(comm, z, count, batch, "moments")),
        "k-means in the embedding": (None, lambda count: labels(comm, z, count, batch, "kmeans")),
    }
    found = {name: [way(count) for count in COUNTS] for name, (_, way) in ways.items()}
    rows = [Row(name, ways[name][0], tuple(_silhouette(comm, z, label) for label in found[name])) for name in ways]
    for line in table(rows, size):
        say(line)
    batched, whole = (found[name][0] for name in ("mini-batches, greedy merge", "one batch"))
    panels = {"unclustered": None, "merged mini-batches": batched, "one batch": whole}
    show(comm, say, out / "clustering.png", draw, z, panels)
    return rows


_LINKAGE = "average linkage is ill-conditioned on these points: a few of them change the clusters"
_BECAUSE = {
    "mini-batches, greedy merge": _LINKAGE,
    "one batch": _LINKAGE,
    "Birch on Re z, Im z": "the paper does not give Birch's threshold; .1 is taken here",
}


def claims(rows: list[Row]) -> list[Claim]:
    """The paper's silhouettes, C = 5, each to .03: the spread between samples of 1000 points."""
    return [
        Claim(
            f"silhouette of 5 clusters: {row.name}",
            f"{row.paper:g}",
            row.ours[0],
            row.paper - 0.03,
            row.paper + 0.03,
            _BECAUSE[row.name],
        )
        for row in rows
        if row.paper is not None
    ]


def labels(comm: Comm, z: np.ndarray, count: int, batch: int, merge: str) -> np.ndarray:
    """Clusters of points that every rank has: z (N, n+1) to (N,) int32. Collective."""
    total = len(z)
    share = split(-(-total // batch), comm.size, comm.rank)
    own = slice(min(share.start * batch, total), min(share.stop * batch, total))
    return comm.allgather_rows(cluster(comm, z[own], own.start, total, count=count, batch=batch, merge=merge).label)


def birch(comm: Comm, z: np.ndarray, count: int) -> np.ndarray:
    """scikit-learn's Birch on the Euclidean coordinates Re z, Im z: what HR compares with. Collective."""
    from sklearn.cluster import Birch

    found = Birch(n_clusters=count, threshold=0.1).fit_predict(np.hstack([z.real, z.imag])) if comm.rank == 0 else None
    return comm.bcast(found)


def table(rows: list[Row], size: int) -> list[str]:
    """The silhouettes as lines of text."""
    head = f"{f'silhouette of {size} points, C =':34}{'paper':>8}" + "".join(f"{count:>8}" for count in COUNTS)
    lines = [head]
    for row in rows:
        paper = "" if row.paper is None else f"{row.paper:.3f}"
        lines.append(f"{row.name:34}{paper:>8}" + "".join(f"{value:8.3f}" for value in row.ours))
    return lines


def draw(path: Path, z: np.ndarray, panels: dict[str, np.ndarray | None]) -> None:
    """Heat maps of all distances, the points in their own order or cluster by cluster, as a PNG."""
    shown = np.arange(min(len(z), _SHOWN)) * len(z) // min(len(z), _SHOWN)
    d = distances(z[shown], z[shown])
    np.fill_diagonal(d, 0.0)
    with picture(path, len(panels), size=(4 + 1 / len(panels), 4)) as axes:
        for ax, (title, label) in zip(axes, panels.items(), strict=True):
            order = np.arange(len(shown)) if label is None else np.argsort(label[shown], kind="stable")
            image = ax.imshow(d[np.ix_(order, order)], vmin=0, vmax=np.pi / 2, cmap="viridis", interpolation="nearest")
            if label is not None:
                for edge in np.cumsum(np.bincount(label[shown]))[:-1]:
                    ax.axhline(edge, color="white", lw=0.5)
                    ax.axvline(edge, color="white", lw=0.5)
            ax.set(title=title, xlabel="point", ylabel="point")
        ax.figure.colorbar(image, ax=axes, label="Fubini-Study distance")


def _silhouette(comm: Comm, z: np.ndarray, label: np.ndarray) -> float:
    share = split(len(z), comm.size, comm.rank)
    own = slice(share.start, share.stop)
    return silhouette(comm, z[own], label[own]).mean
