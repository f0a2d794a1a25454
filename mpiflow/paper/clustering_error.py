"""What clustering costs: the same flow with clusters that ignore each other, with halos, and exact (HR 3.1)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mpiflow import config
from mpiflow.comm import Comm
from mpiflow.job.flowing import Flowing
from mpiflow.measures import sigma
from mpiflow.paper.claims import Claim
from mpiflow.paper.picture import finished, picture, show

TITLE = "what clustering costs the flow: none, halo and all couplings against each other"
SIZES = {"laptop": 20_000, "node": 100_000, "cluster": 1_000_000}
COUNTS = (1, 4, 20)
WIDTH, DT, STEPS, TOLERANCE = 0.2, 0.02, 20, 1e-4
UNSEEN = 2000
#: Bytes of a source outside a cluster that the cluster needs at each step: the nine reals of a gradient.
ROW = 72


@dataclass(frozen=True)
class Row:
    """One coupling of one clustering. error: largest |g - g_exact| / |g_exact| over train points, Frobenius norm."""

    clusters: int
    coupling: str
    sigma_train: float
    sigma_unseen: float
    gain_unseen: float
    error: float
    seconds: float
    bytes_step: int


def run(comm: Comm, out: Path, size: int, say: Callable[[str], None], seed: int = 1) -> list[Row]:
    """Flow `size` points of one chart under a Gaussian in every coupling; draw out/clustering-error.png; collective."""
    whole, exact = _flowed(comm, seed, size, 1, "all", None)
    rows = [whole]
    for count in COUNTS[1:]:
        # The exact flow does not depend on the clusters, only what it has to move does.
        rows.append(replace(whole, clusters=count, bytes_step=ROW * size * (count - 1)))
        rows += [_flowed(comm, seed, size, count, coupling, exact)[0] for coupling in ("halo", "none")]
    say(f"Gaussian of width {WIDTH}, {size} train points in one chart, {STEPS} steps, halo tolerance {TOLERANCE:g}")
    head = f"{'C':>4} {'coupling':9}{'sigma train':>12}{'sigma unseen':>13}{'gain':>8}"
    say(head + f"{'error':>11}{'seconds':>9}{'MB a step':>11}")
    for row in rows:
        told = (
            f"{row.clusters:4d} {row.coupling:9}{row.sigma_train:12.5f}{row.sigma_unseen:13.5f}{row.gain_unseen:8.3f}"
        )
        say(told + f"{row.error:11.2e}{row.seconds:9.1f}{row.bytes_step / 1e6:11.2f}")
    show(comm, say, out / "clustering-error.png", _draw, rows, size)
    return rows


def claims(rows: list[Row]) -> list[Claim]:
    """The paper clusters because the full kernel is out of reach there, and gains about 5 at most."""
    exact = next(row for row in rows if row.clusters == 1)
    return [
        Claim(
            "gain on unseen points, full Gaussian kernel of all train points",
            "out of reach; at most about 5 with clusters",
            exact.gain_unseen,
            1.0,
            5.5,
            "the exact flow needs no clusters, and more points are nearer to the unseen ones",
        )
    ]


def _settings(seed: int, size: int, count: int, coupling: str) -> config.Config:
    return config.check(
        {
            "run": {"seed": seed},
            "points": {"train": size, "test": UNSEEN},
            "clusters": {"count": count, "batch": 5000, "merge": "moments"},
            "kernel": {"name": "gaussian", "width": WIDTH},
            "flow": {
                "dt": DT,
                "steps": STEPS,
                "normalisation": "row",
                "coupling": coupling,
                "halo_tolerance": TOLERANCE,
            },
            "engine": {"mode": "streamed"},
        },
        "clustering-error",
    )


def _flowed(
    comm: Comm, seed: int, size: int, count: int, coupling: str, exact: np.ndarray | None
) -> tuple[Row, np.ndarray]:
    """One flow; exact: the exact metric of all train points on every rank, or None for that flow itself. Collective."""
    made = Flowing.begun(comm, _settings(seed, size, count, coupling))
    start = time.perf_counter()
    flow, train, test = made.finish().flow, made.train, made.test
    seconds = time.perf_counter() - start
    metric = comm.bcast(train.layout.gather(flow.metric))
    unseen = made.look()
    start_unseen = sigma(test.layout, test.points, test.reference(made.surface))
    lists = flow.coupling.lists
    foreign = sum(len(sources) - len(own) for sources, own in zip(lists, train.layout.members, strict=True))
    row = Row(
        clusters=count,
        coupling=coupling,
        sigma_train=flow.record().sigma_train,
        sigma_unseen=unseen,
        gain_unseen=start_unseen / unseen,
        error=_error(metric, metric if exact is None else exact),
        seconds=seconds,
        bytes_step=ROW * foreign,
    )
    return row, metric


def _error(g: np.ndarray, exact: np.ndarray) -> float:
    norm = np.linalg.norm(exact, axis=(1, 2))
    return float((np.linalg.norm(g - exact, axis=(1, 2)) / norm).max())


def _draw(path: Path, rows: list[Row], size: int) -> None:
    rows = [row for row in rows if row.coupling != "all" or row.clusters == 1]
    names = [f"{row.coupling}\nC = {row.clusters}" if row.clusters > 1 else "exact" for row in rows]
    place = np.arange(len(rows))
    with picture(path, columns=2) as (left, right):
        left.bar(place - 0.2, [row.sigma_train for row in rows], 0.4, label="train points")
        left.bar(place + 0.2, [row.sigma_unseen for row in rows], 0.4, label="unseen points")
        finished(left, ylabel="sigma measure (dimensionless)", title=f"{size} train points, Gaussian of width {WIDTH}")
        right.semilogy(place[1:], [row.error for row in rows[1:]], "o", label="largest |g - g_exact| / |g_exact|")
        right.axhline(TOLERANCE, color="0.45", ls="--", label="halo tolerance of one update")
        finished(right, ylabel="relative error of the metric", title="error of the coupling")
        for axes in (left, right):
            axes.set_xticks(place, names)
            axes.set_xlim(-0.6, len(rows) - 0.4)
