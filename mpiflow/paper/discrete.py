"""Local kernels on points: a discrete delta learns nothing elsewhere; kernels rescaled by h(x) (HR 2.13 - 2.18)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from mpiflow.comm import Comm
from mpiflow.config import check
from mpiflow.job.flowing import Flowing
from mpiflow.paper.claims import Claim
from mpiflow.paper.picture import finished, picture, show, told

TITLE = "a discrete delta learns nothing on unseen points; kernels between h(x) and h(x') (HR 2.13 - 2.18)"
SIZES = {"laptop": 1000, "node": 4000, "cluster": 16_000}
#: p of h = (|Omega|^2 / det g_FS)^p.
POWERS, STEPS = (-0.5, -0.25, 0.0), 50
#: What is flowed. The first one is a discrete delta: no two points of any data set are so near that one feels the other.
DISCRETE = "discrete delta"
KERNELS = {
    DISCRETE: ({"name": "gaussian", "width": 1e-3}, {"dt": 0.01, "normalisation": "sum"}),
    "nearest delta": ({"name": "delta"}, {"dt": 0.01, "normalisation": "sum"}),
    "gaussian .4": ({"name": "gaussian", "width": 0.4}, {"dt": 0.03, "normalisation": "row"}),
    "relu": ({"name": "relu", "depth": 2}, {"dt": 0.05}),
    "erf": ({"name": "erf", "depth": 2}, {"dt": 0.05}),
    "cosine": ({"name": "cosine", "w_std": 2.5}, {"dt": 0.3}),
}


@dataclass(frozen=True)
class Row:
    """One kernel with one h: gains after STEPS on train and unseen points; moved: the largest change of a metric there."""

    kernel: str
    power: float
    train_gain: float
    gain: float
    moved: float


def run(comm: Comm, out: Path, size: int, say: Callable[[str], None], seed: int = 1) -> list[Row]:
    """Flow each kernel with each h on `size` points, and draw out/discrete.png; collective."""
    say(f"{'kernel':>15}{'p of h':>8}{'train gain':>12}{'unseen':>9}{'moved there':>13}")
    rows = told((_row(comm, *each, size, seed) for each in product(KERNELS, POWERS)), say, _line)
    show(comm, say, out / "discrete.png", _draw, rows, size)
    return rows


def claims(rows: list[Row]) -> list[Claim]:
    """The local limit on points: what is not seen does not move, whatever h is."""
    local = [row for row in rows if row.kernel == DISCRETE]
    found = [
        Claim(f"{DISCRETE}: largest change of an unseen metric", "0", max(row.moved for row in local), 0, 1e-100),
        Claim(
            f"{DISCRETE}: least gain on train points",
            "they are learned",
            min(row.train_gain for row in local),
            2,
            np.inf,
        ),
    ]
    best = max(row.gain for row in rows)
    return [*found, Claim("best gain on unseen points of any kernel and h", "about 5 at most", best, 1.0, 6.0)]


def _row(comm: Comm, name: str, power: float, size: int, seed: int) -> Row:
    kernel, flow = KERNELS[name]
    table = {
        "run": {"seed": seed},
        "points": {"train": size, "test": 1000},
        "kernel": kernel | {"rescale": power},
        "flow": flow | {"steps": STEPS},
    }
    made = Flowing.begun(comm, check(table, "discrete")).finish()
    moved = np.abs(made.watched() - made.test.reference(made.surface)).max(initial=0)
    train, unseen = made.table()[:2]
    return Row(name, power, train.gain, unseen.gain, -comm.min(-float(moved)))


def _line(row: Row) -> str:
    return f"{row.kernel:>15}{row.power:8g}{row.train_gain:12.4g}{row.gain:9.4f}{row.moved:13.1e}"


def _draw(path: Path, rows: list[Row], size: int) -> None:
    with picture(path, columns=2) as (left, right):
        places = np.arange(len(KERNELS))
        for number, power in enumerate(POWERS):
            mine = [row for row in rows if row.power == power]
            at, label = places + 0.27 * (number - 1), f"p = {power:g}"
            left.bar(at, [min(row.train_gain, 1e14) for row in mine], 0.27, label=label)
            right.bar(at, [row.gain for row in mine], 0.27, label=label)
        left.set_yscale("log")
        for axes, title in ((left, "train points"), (right, "unseen points")):
            axes.set_xticks(places, labels=list(KERNELS), fontsize="x-small", rotation=20)
            finished(axes, ylabel="gain in sigma", title=f"{title}, {size} seen, $h = (|\\Omega|^2/\\det g_{{FS}})^p$")
