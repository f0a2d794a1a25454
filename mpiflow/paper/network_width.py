"""From narrow to wide networks: where the empirical NTK stops moving, and what that does to the gain (HR 2.23, 3.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING

import numpy as np

from mpiflow.comm import Comm
from mpiflow.config import check
from mpiflow.job.flowing import Flowing
from mpiflow.paper.claims import Claim
from mpiflow.paper.picture import finished, leave, picture

if TYPE_CHECKING:
    from mpiflow.network.lazy import Movement

TITLE = "from narrow to wide networks: where the NTK stops moving (HR 2.23, 3.3); needs the extra nn"
SIZES = {"laptop": 1000, "node": 10_000, "cluster": 100_000}
WIDTHS = (16, 32, 64, 128, 256, 512)
#: Networks of each width.
DRAWS = 3
STEPS, TEST = 200, 1000
#: Half of what the frozen kernel bears: networks of one width differ in their largest eigenvalue.
DT = 0.025
#: Relative change of the NTK below which a width counts as lazy.
LAZY = 0.1
DEPTH = 2


@dataclass(frozen=True)
class Row:
    """Networks of one width (0: the frozen kernel of infinite width), means over their draws.

    moved, away: relative change of the NTK in the descent, and of its beginning from the limit (network.lazy). gains:
    sigma(g_FS) / sigma, with the standard deviation of the one on unseen points.
    """

    width: int
    parameters: int
    moved: float
    away: float
    train_gain: float
    gain: float
    spread: float


def run(comm: Comm, out: Path, size: int, say: Callable[[str], None], seed: int = 1) -> list[Row]:
    """Descend on networks of every width on `size` points of one chart, and draw out/network-width.png; collective."""
    say(f"{'width':>8}{'parameters':>12}{'NTK moved':>11}{'from limit':>11}{'train gain':>11}{'unseen':>9}{'+-':>8}")
    rows = []
    for width in WIDTHS:
        seeds = [1000 * seed + draw for draw in range(DRAWS)]
        networks = [{"kind": "lazy", "width": width, "depth": DEPTH, "batch": size, "seed": own} for own in seeds]
        rows.append(_row(width, [_measured(comm, size, seed, network) for network in networks]))
        say(_line(rows[-1]))
    rows.append(_limit(_made(comm, size, seed, {"kernel": {"name": "relu", "depth": DEPTH}})))
    say(_line(rows[-1]))
    lazy = lazy_width(rows)
    say(f"the NTK moves less than {LAZY:.0%} from width {lazy} on" if lazy else f"no width moves less than {LAZY:.0%}")
    with comm.lead() as mine:
        if mine:
            leave(_draw, out / "network-width.png", rows, size)
    say(f"picture: {out / 'network-width.png'}")
    return rows


def lazy_width(rows: list[Row]) -> int | None:
    """The least width from which on the NTK moves less than LAZY; None where the widest still moves more."""
    moving = [row.width for row in rows if row.width and row.moved >= LAZY]
    wider = [row.width for row in rows if row.width > max(moving, default=0)]
    return min(wider, default=None)


def claims(rows: list[Row]) -> list[Claim]:
    """What theory says of wide networks: a kernel that moves as 1 / sqrt(width) or less, and the gain of the limit."""
    wide = [row for row in rows if row.width >= 64]
    power = np.polyfit(np.log([row.width for row in wide]), np.log([row.moved for row in wide]), 1)[0]
    ratio = wide[-1].gain / rows[-1].gain
    return [
        Claim("power of the width with which the NTK moves", "-1/2 to -1", float(power), -1.1, -0.4),
        Claim("gain of the widest network over that of the frozen kernel", "1", ratio, 0.8, 1.25, _FINITE),
    ]


_FINITE = "its NTK is still some 18 % away from the limit's, and networks of one width differ"


def _row(width: int, found: list[Movement]) -> Row:
    gains = [one.gain for one in found]
    names = ("moved", "away", "train_gain", "gain")
    means = (fmean(getattr(one, name) for one in found) for name in names)
    return Row(width, found[0].parameters, *means, stdev(gains))


def _made(comm: Comm, size: int, seed: int, moved_by: dict) -> Flowing:
    """Begun with a table [network] or [kernel]."""
    points, flow = {"train": size, "test": TEST}, {"dt": DT, "steps": STEPS}
    return Flowing.begun(
        comm, check({"run": {"seed": seed}, "points": points, "flow": flow} | moved_by, "network-width")
    )


def _measured(comm: Comm, size: int, seed: int, network: dict) -> Movement:
    # JAX is an extra, and slow to load.
    from mpiflow.network.lazy import movement

    made = _made(comm, size, seed, {"network": network}).finish()
    return movement(made.flow, made.train, made.test)


def _limit(made: Flowing) -> Row:
    """The flow of the frozen kernel, to which networks come as they widen."""
    found = made.finish().table()
    return Row(0, 0, 0.0, 0.0, found[0].gain, found[1].gain, 0.0)


def _line(row: Row) -> str:
    numbers = f"{row.moved:11.3g}{row.away:11.3g}{row.train_gain:11.4g}{row.gain:9.4g}{row.spread:8.2g}"
    return f"{row.width or 'infinite':>8}{row.parameters or '':>12}{numbers}"


def _draw(path: Path, rows: list[Row], size: int) -> None:
    finite, limit = rows[:-1], rows[-1]
    widths = [row.width for row in finite]
    with picture(path, columns=2) as (left, right):
        left.loglog(widths, [row.moved for row in finite], "o-", label=f"moved in {STEPS} steps")
        left.loglog(widths, [row.away for row in finite], "s-", label="beginning, from the infinite width's")
        left.loglog(
            widths, finite[-1].moved * (np.array(widths) / widths[-1]) ** -0.5, "k:", lw=1, label="width^(-1/2)"
        )
        left.axhline(LAZY, color="0.6", lw=0.8, ls="--")
        right.errorbar(
            widths, [r.gain for r in finite], [r.spread for r in finite], fmt="o-", capsize=2, label="unseen points"
        )
        right.semilogx(widths, [row.train_gain for row in finite], ":", color="C0", label="train points")
        right.axhline(limit.gain, color="C1", lw=1, label="frozen ReLU NTK, unseen")
        for axes in (left, right):
            axes.set_xticks(widths, labels=[str(width) for width in widths])
            axes.set_xticks([], minor=True)
        finished(left, xlabel="width", ylabel="relative change of the NTK", title=f"{size} train points, one chart")
        finished(right, xlabel="width", ylabel="gain in sigma", title="plain gradient descent")
