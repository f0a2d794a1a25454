"""The Kaehler kernels of kernels-revisited: which there are, and how their gains are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mpiflow.paper.picture import PAPER, finished, picture

if TYPE_CHECKING:
    from mpiflow.paper.kernels_revisited import Row

#: The best gain of any frozen kernel on unseen points that HR reports.
PAPER_BEST = 5.0
#: Train points of the second panel.
_COUNTS = (50, 100, 200, 500, 1000, 2000, 5000, 20_000, 100_000)
#: Finite networks, trained rather than frozen.
NETWORKS = {"multiplicative": "network g_FS (1 + NN)", "potential": "network of phi"}


@dataclass(frozen=True)
class Curve:
    """Kaehler kernels of one kind. kernel: keys of [kernel]. degrees: of the first panel; more: degree to train points of the
    second. label, short: in the picture.
    """

    kernel: dict
    label: str
    short: str
    degrees: tuple[int, ...]
    more: dict[int, tuple[int, ...]]
    dt: float = 0.3


_GENERIC = {"features": "generic", "ridge": 1e-6}
MOVING = "invariant, log"
CURVES = {
    "invariant": Curve(
        {},
        "invariant (a prior by hand): kernel frozen",
        "invariant",
        tuple(range(2, 20, 2)),
        {8: _COUNTS, 12: _COUNTS},
        0.45,
    ),
    MOVING: Curve(
        {"potential": "log"},
        "invariant, log: C frozen at g_FS (median)",
        "invariant, log",
        (2, 4, 6, 8, 10, 12),
        {},
        0.35,
    ),
    "invariant, log, C anew": Curve(
        {"potential": "log", "refreeze": 10},
        "invariant, log: C anew every 10 steps",
        "invariant, log, C anew",
        (8, 12, 16, 18),
        {8: _COUNTS, 12: _COUNTS},
    ),
    "generic": Curve(_GENERIC, "generic: kernel frozen", "generic", (1, 2, 3), {2: (200, 500, 2000)}, 0.45),
    "generic, log": Curve(
        _GENERIC | {"potential": "log"},
        "generic, log: C frozen at g_FS",
        "generic, log",
        (1, 2),
        {2: (200, 500, 2000)},
    ),
}
#: Colour and mark of each.
_STYLES = (("C0", "o"), ("C3", "s"), ("C4", "D"), ("C1", "o"), ("C5", "^"))


def repeated(rows: list[Row], size: int) -> dict[int, list[Row]]:
    """The rows of C frozen at g_FS by their degrees, where several sets of points were tried."""
    every = [row for row in rows if row.kernel == MOVING and row.points == size]
    found = {degree: [row for row in every if row.degree == degree] for degree in sorted({r.degree for r in every})}
    return {degree: found[degree] for degree in found if len(found[degree]) > 1}


def draw(path: Path, rows: list[Row], size: int, sets: int) -> None:
    """Both panels: gain against degree, and against train points. sets: of points, on which a C of the start was tried."""
    with picture(path, columns=2, size=(6.6, 5.2)) as (left, right):
        for (name, curve), (colour, mark) in zip(CURVES.items(), _STYLES, strict=True):
            seen, unseen = (_middle(rows, name, size, which) for which in ("train_gain", "gain"))
            left.semilogy(*unseen, f"{mark}-", color=colour, label=curve.label)
            left.semilogy(*seen, ":", color=colour)
            for degree, shape in ((8, "--"), (12, "-"), (2, "-")):
                line = sorted((r.points, r.gain) for r in rows if (r.kernel, r.degree) == (name, degree))
                if degree in curve.more and line:
                    label = f"{curve.short}, k = {degree}"
                    right.loglog(*np.array(line).T, f"{mark}{shape}", color=colour, label=label)
        for degree, found in repeated(rows, size).items():
            left.plot([degree] * len(found), [row.gain for row in found], "_", color="k", ms=11)
        left.plot([], [], "_", color="k", ms=11, label=_brief(rows, size, sets))
        left.plot([], [], ":", color="0.3", label="on train points")
        for style, row in zip((":", "-."), (r for r in rows if r.kernel in NETWORKS.values()), strict=False):
            left.axhline(row.gain, color="C2", ls=style, lw=1, label=f"{row.kernel}, trained")
        for axes in (left, right):
            axes.axhline(PAPER_BEST, label="best frozen kernel of the paper", **PAPER)
        left.set_xticks(range(0, max(row.degree for row in rows) + 1, 2))
        for axes, room in ((left, 50), (right, 300)):
            axes.set_ylim(1.2, room * axes.get_ylim()[1])
        finished(
            left, xlabel="degree k", ylabel="gain in sigma on unseen points", title=f"{size} train points, one chart"
        )
        finished(right, xlabel="train points", ylabel="gain in sigma on unseen points", title="one chart, 50 steps")


def _middle(rows: list[Row], name: str, size: int, which: str) -> tuple[list[int], list[float]]:
    """Degrees of a curve at one size, and the median gain over sets of points of each."""
    here = [row for row in rows if row.kernel == name and row.points == size]
    degrees = sorted({row.degree for row in here})
    return degrees, [float(np.median([getattr(r, which) for r in here if r.degree == k])) for k in degrees]


def _brief(rows: list[Row], size: int, sets: int) -> str:
    """What the picture says of the sets of points on which C of g_FS was tried."""
    every = [row for found in repeated(rows, size).values() for row in found]
    lost = sum(row.positive < 1 for row in every)
    return f"C frozen at g_FS, each of {sets} point sets ({lost} of {len(every)} not positive)"
