"""How fast modes of a torus grow in four gauges of the Ricci flow, and what a kernel's width makes of it (HR 2.38 - 2.42)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from mpiflow.comm import Comm
from mpiflow.grids import symmetric
from mpiflow.grids.torus import FlatTorus
from mpiflow.paper.claims import Claim
from mpiflow.paper.picture import finished, picture, show
from mpiflow.ranks.members import shared

TITLE = "growth of modes in four gauges of the Ricci flow: HR 2.40 with a fixed measure runs some backwards (HR 2.38 - 2.42)"
#: Points of a side of the torus.
SIZES = {"laptop": 48, "node": 96, "cluster": 192}
LEAST = 24
#: Rates over k^2 of h11, h12 and h22 in h cos k x1.
RATES = {"hamilton": (0, 0, -1), "deturck": (-1, -1, -1), "lambda": (0, 0, -1), "perelman": (1, 0, -1)}
WIDTHS, TINY = (0.0, 0.25, 0.5), 1e-6


@dataclass(frozen=True)
class Row:
    """One mode: its gauge, component of h (0: h11, 1: h12, 2: h22), kernel width, wave number, and rate of growth."""

    gauge: str
    component: int
    width: float
    k: int
    rate: float

    @property
    def expected(self) -> float:
        """The linearised rate, k^2 e^(-s^2 k^2 / 2) times that of its gauge."""
        return RATES[self.gauge][self.component] * self.k**2 * float(np.exp(-(self.width**2) * self.k**2 / 2))


def run(comm: Comm, out: Path, size: int, say: Callable[[str], None], seed: int = 1) -> list[Row]:
    """Measure every mode of a torus with `size` points a side, and draw out/gauges.png; collective. Nothing is random."""
    space = FlatTorus(FlatTorus.Keys(points=size, start="flat"))
    waves = range(1, min(-(-size // 3), 16))
    every = list(product(RATES, range(3), WIDTHS, waves))
    rows = shared(comm, every, lambda mode: Row(*mode, _rate(space, *mode)))
    say(f"{'gauge':>10}{'component':>11}{'rate over k^2 e^(-s^2 k^2 / 2)':>34}{'largest error over k^2':>26}")
    for gauge, component in product(RATES, range(3)):
        mine = [row for row in rows if (row.gauge, row.component) == (gauge, component)]
        error = max(abs(row.rate - row.expected) / row.k**2 for row in mine)
        say(f"{gauge:>10}{('h11', 'h12', 'h22')[component]:>11}{RATES[gauge][component]:34d}{error:26.1e}")
    show(comm, say, out / "gauges.png", _draw, rows)
    return rows


def claims(rows: list[Row]) -> list[Claim]:
    """HR call all of them Ricci flow; only some are heat equations."""
    found = []
    for gauge, rates in RATES.items():
        mine = [row for row in rows if row.gauge == gauge]
        off = max(abs(row.rate - row.expected) / row.k**2 for row in mine)
        found.append(Claim(f"{gauge}: rates {rates} k^2 e^(-s^2 k^2 / 2), largest error over k^2", "0", off, 0, 1e-5))
    local = max(row.rate for row in rows if row.gauge == "perelman" and row.width == 0)
    because = "with e^-phi dV fixed h11 obeys a backward heat equation; a kernel's width tames it"
    found.append(Claim("largest rate of (2.40) with a fixed measure, local", "a flow: 0", local, -1e-4, 1e-4, because))
    for width in WIDTHS[1:]:
        peak = max(row.rate for row in rows if row.gauge == "perelman" and row.width == width)
        bound = 2 / (np.e * width**2)
        found.append(
            Claim(f"the same at width {width:g} over 2 / (e s^2)", "not said: at most 1", peak / bound, 0.9, 1.0001)
        )
    return found


def _rate(space: FlatTorus, gauge: str, component: int, width: float, k: int) -> float:
    mode = np.cos(k * space.spectral.coordinates()[0]) * np.ones(space.shape)
    u = symmetric.unit(space.shape, 2)
    u[component] += TINY * mode
    return float(2 * (space.ricci(u, width, gauge)[component] * mode).mean() / TINY)


def _draw(path: Path, rows: list[Row]) -> None:
    with picture(path, columns=len(RATES), size=(4.0, 3.9)) as panels:
        for axes, gauge in zip(panels, RATES, strict=True):
            for width, component in product(WIDTHS, range(3)):
                mine = [row for row in rows if (row.gauge, row.width, row.component) == (gauge, width, component)]
                style = {"color": f"C{WIDTHS.index(width)}", "marker": ("o", "s", "v")[component], "ms": 4, "lw": 0.8}
                label = f"s = {width:g}" if component == 0 else None
                axes.plot([row.k for row in mine], [row.rate for row in mine], label=label, **style)
            axes.set_yscale("symlog", linthresh=1.0)
            finished(axes, xlabel="wave number k", ylabel="rate of growth", title=f"{gauge} (o h11, square h12, v h22)")
