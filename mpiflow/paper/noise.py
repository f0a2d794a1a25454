"""Figure 3 left: the gain on points at a growing distance from the train points (HR 3.2.4), on X and off it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mpiflow import config, dataset
from mpiflow.comm import Comm
from mpiflow.geometry import projective
from mpiflow.job.flowing import Flowing
from mpiflow.measures import sigma
from mpiflow.paper.claims import Claim
from mpiflow.paper.picture import PAPER, finished, picture, show
from mpiflow.sampling import TEST, noisy

TITLE = "Figure 3 left: gain against the distance from the train points (HR 3.2.4)"
SIZES = {"laptop": 1000, "node": 5000, "cluster": 20_000}
#: Kernels in settings that fit the train points: a narrow Gaussian is a smooth Delta there.
KERNELS = {
    "Gaussian": ({"name": "gaussian", "width": 0.05}, {"dt": 0.01, "normalisation": "sum"}),
    "Delta": ({"name": "delta"}, {"dt": 0.01, "normalisation": "sum"}),
    "ReLU NTK": ({"name": "relu", "depth": 2}, {"dt": 0.05, "normalisation": "mean"}),
}
SCALES = tuple(10.0**k for k in np.arange(-10, -0.4, 0.5))
PRECISIONS = ("float64", "float32")
#: Gains between these belong to the law gain = c / d: above is the floor of the arithmetic, below the far field.
_LAW = (10.0, 1e8)
#: The paper: mean distance = FACTOR N^EXPONENT, and points that it needs for a gain of 100 with Delta, with Gaussian.
_FACTOR, _EXPONENT = 0.968, -0.184
_PAPER = {"Delta": 1e8, "Gaussian": 1e12}


@dataclass(frozen=True)
class Row:
    """Points displaced by Gaussian noise of a scale: their mean distance to the train points, and the gain there."""

    kernel: str
    precision: str
    project: bool
    scale: float
    distance: float
    gain: float


def run(comm: Comm, out: Path, size: int, say: Callable[[str], None], seed: int = 1) -> list[Row]:
    """Flow `size` train points under each kernel, measure at every scale, fit the law, draw out/noise.png; collective."""
    rows = [row for name in KERNELS for precision in PRECISIONS for row in _measured(comm, seed, size, name, precision)]
    say(f"{'kernel':10}{'precision':11}{'points':8}{'scale':>9}{'distance':>11}{'gain':>11}")
    for row in rows:
        place = "on X" if row.project else "off X"
        say(f"{row.kernel:10}{row.precision:11}{place:8}{row.scale:9.1e}{row.distance:11.3e}{row.gain:11.4g}")
    for name in KERNELS:
        for project in (True, False):
            say(_law(name, project, rows))
    show(comm, say, out / "noise.png", _draw, rows)
    return rows


def fitted(rows: list[Row]) -> tuple[float, float, float] | None:
    """Constant c, exponent p of gain = c d^-p, and the decades of d that it covers; None for fewer than four rows of it."""
    used = [row for row in rows if _LAW[0] < row.gain < _LAW[1]]
    if len(used) < 4:
        return None
    distance = np.log([row.distance for row in used])
    slope, offset = np.polyfit(distance, np.log([row.gain for row in used]), 1)
    return float(np.exp(offset)), float(-slope), float(np.ptp(distance) / np.log(10))


def points_for(gain: float, c: float) -> float:
    """Train points at whose mean distance the law gain = c / d gives a gain, by the paper's fit of distances."""
    return (c / gain / _FACTOR) ** (1 / _EXPONENT)


def claims(rows: list[Row]) -> list[Claim]:
    """The law c / d, and what it says on X, where unseen points are, of the points that gains of 100 and of 1e6 need."""
    found = []
    for name, paper in _PAPER.items():
        for project, place in ((False, "off X"), (True, "on X")):
            c, power, _ = fitted([r for r in rows if (r.kernel, r.project, r.precision) == (name, project, "float64")])
            found.append(Claim(f"{name}: the gain falls as d^-p {place}, p", "1", power, 0.98, 1.02))
        need, far = points_for(100, c), points_for(1e6, c)
        found.append(
            Claim(
                f"{name}: train points for a gain of 100",
                f"{paper:.0e}",
                need,
                paper / 10,
                paper * 10,
                "the law measured here, put into the paper's own fit of distances, gives more points",
            )
        )
        found.append(Claim(f"{name}: train points for a gain of 1e6", "1e35", far, 1e33, 1e37, _FAR))
    return found


_FAR = "a small change of c is raised to the power 1 / .184"


def _law(name: str, project: bool, rows: list[Row]) -> str:
    mine = [row for row in rows if (row.kernel, row.project, row.precision) == (name, project, "float64")]
    place, found = "on X" if project else "off X", fitted(mine)
    if found is None:
        return f"{name}, {place}: no c/d law, largest gain {max(row.gain for row in mine):.3g}"
    c, power, decades = found
    need = [points_for(gain, c) for gain in (100, 1e6)]
    told = f"gain = {c:.3g} d^-{power:.3f} over {decades:.1f} decades of d"
    return f"{name}, {place}: {told}; gain 100 / 1e6 at {need[0]:.0e} / {need[1]:.0e} points; paper {_PAPER[name]:.0e} for 100"


def _measured(comm: Comm, seed: int, size: int, name: str, precision: str) -> list[Row]:
    kernel, flow = KERNELS[name]
    settings = config.check(
        {
            "run": {"precision": precision, "seed": seed},
            "points": {"train": size, "test": size},
            "kernel": kernel,
            "flow": flow,
        },
        name,
    )
    made = Flowing.begun(comm, settings).finish()
    surface, train = made.surface, made.train
    rows = []
    for project in (True, False):
        for scale in SCALES:
            number = train.layout.rows
            moved = noisy(surface, number, train.points, settings.run.seed, TEST, scale, project)
            points = dataset.placed(comm, surface, number, moved, train)
            metric = made.predictor().metric(points.layout, points.points.z, points.points.chart)
            before = sigma(points.layout, points.points, points.reference(surface))
            after = sigma(points.layout, points.points, metric)
            distance = train.layout.sum(projective.distance(moved.z, train.points.z)) / size
            rows.append(Row(name, precision, project, scale, float(distance), before / after))
    return rows


def _draw(path: Path, rows: list[Row]) -> None:
    with picture(path, size=(6.4, 4.6)) as axes:
        for colour, name in zip(("C0", "C1", "C2"), KERNELS, strict=True):
            for project, mark in ((True, "o"), (False, "x")):
                for precision, line in zip(PRECISIONS, ("-", ":"), strict=True):
                    mine = [r for r in rows if (r.kernel, r.project, r.precision) == (name, project, precision)]
                    label = f"{name}, {'on X' if project else 'off X'}" if precision == "float64" else None
                    distances, gains = [row.distance for row in mine], [row.gain for row in mine]
                    axes.loglog(distances, gains, line, marker=mark, ms=3, lw=0.9, color=colour, label=label)
        d = np.array([1e-8, 1e-1])
        axes.loglog(d, 0.27 / d, **PAPER, label="0.27 / d")
        finished(
            axes,
            xlabel="mean distance to the train points (Fubini-Study)",
            ylabel="gain sigma(g_FS) / sigma(g)",
            title="float64 solid, float32 dotted",
        )
