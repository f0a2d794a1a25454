"""One family of flows, d phi / dt = (-Laplace)^p log eta: Calabi's, Kaehler-Ricci and the natural gradient (HR app. B)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mpiflow.comm import Comm
from mpiflow.config import check
from mpiflow.job.flowing import Flowing
from mpiflow.paper.claims import Claim
from mpiflow.paper.picture import finished, picture, show, told
from mpiflow.preconditioners.family import spectral

TITLE = "from Calabi's flow through Kaehler-Ricci to the natural gradient: one family, and its price (HR app. B)"
SIZES = {"laptop": 1000, "node": 4000, "cluster": 20_000}
#: p of the flows, the n of P^n, the degree of the features, and the most steps.
POWERS, NAMES, DEGREE, MOST = (1.0, 0.5, 0.0, -0.5, -1.0), {3: "K3", 4: "quintic"}, 8, 2500
#: Steps over the longest stable ones, and of p = -1, whose linearisation would end in one.
LENGTH, NATURAL = 1.0, 0.5
#: Of the end gain, where a flow counts as done.
SHARE = 0.9


@dataclass(frozen=True)
class Row:
    """One flow: the n of P^n, p, the step dt, steps to SHARE of the end gain (-1: not in MOST), rises of the Mabuchi energy.

    spread: of the eigenvalues of -Laplace on the features, largest over least. gains: train gains after 0, 1, ... steps.
    """

    ambient: int
    power: float
    dt: float
    steps: int
    rises: int
    spread: float
    gains: list[float]


def run(comm: Comm, out: Path, size: int, say: Callable[[str], None], seed: int = 1) -> list[Row]:
    """Flow for every p on `size` points of K3 and of the quintic, and draw out/family.png; collective."""
    rows, ends = [], {}
    for ambient, name in NAMES.items():
        end = _flowing(comm, ambient, size, seed, {}, {"dt": 1.0, "steps": 8, "search": "gauss-newton"})
        begun = end.flow.state.sigma
        wanted = ends[ambient] = begun / end.finish().flow.state.sigma
        say(f"{name}: Gauss-Newton's gain on train points {wanted:.4g}; a flow is done at {SHARE:.0%} of it")
        say(f"{'p':>6}{'dt':>11}{'steps':>8}{'rises of Mabuchi':>18}{'gain':>9}")
        rows += told((_row(comm, ambient, size, seed, power, SHARE * wanted) for power in POWERS), say, _line)
    show(comm, say, out / "family.png", _draw, rows, ends, size)
    return rows


def claims(rows: list[Row]) -> list[Claim]:
    """The Mabuchi energy never rises along the flows that HR name, and the lower p, the fewer the steps."""
    rises = float(sum(row.rises for row in rows if row.power >= 0))
    found = [Claim("rises of the Mabuchi energy along flows of p >= 0", "0", rises, 0, 0)]
    for ambient, name in NAMES.items():
        steps = [row.steps if row.steps > 0 else np.inf for row in rows if row.ambient == ambient]
        order = float(all(a >= b for a, b in zip(steps[:-1], steps[1:], strict=True)))
        found.append(Claim(f"{name}: the lower p, the fewer steps (1: yes)", "not said: 1", order, 1, 1))
    return found


def _row(comm: Comm, ambient: int, size: int, seed: int, power: float, wanted: float) -> Row:
    made = _flowing(comm, ambient, size, seed, _family(power), {"dt": 1.0, "steps": 1})
    spectrum = spectral(made.flow, made.flow.applied)
    least, largest = comm.bcast(spectrum and (float(spectrum[0][0]), float(spectrum[0][-1])))
    dt = LENGTH / largest ** (1 + power) if power > -1 else NATURAL
    flow = _flowing(comm, ambient, size, seed, _family(power), {"dt": dt, "steps": MOST, "loss": "mabuchi"}).flow
    sigmas, energies = [flow.state.sigma], [flow.state.loss]
    while sigmas[0] / sigmas[-1] < wanted and len(sigmas) <= MOST:
        flow.step()
        sigmas.append(flow.state.sigma)
        energies.append(flow.state.loss)
    gains = (sigmas[0] / np.array(sigmas)).tolist()
    done = len(sigmas) - 1 if gains[-1] >= wanted else -1
    return Row(ambient, power, dt, done, int((np.diff(energies) > 0).sum()), largest / least, gains)


def _family(power: float) -> dict:
    return {"preconditioner": {"name": "family", "power": power}}


def _flowing(comm: Comm, ambient: int, size: int, seed: int, kernel: dict, flow: dict) -> Flowing:
    table = {
        "run": {"seed": seed},
        "manifold": {"ambient": ambient},
        "points": {"train": size, "test": 10, "chart": "all"},
        "kernel": {"name": "kaehler", "degree": DEGREE} | kernel,
        "flow": flow,
    }
    return Flowing.begun(comm, check(table, "family"))


def _line(row: Row) -> str:
    steps = f"{row.steps}" if row.steps > 0 else f"> {MOST}"
    return f"{row.power:6g}{row.dt:11.3g}{steps:>8}{row.rises:18}{row.gains[-1]:9.4g}"


def _draw(path: Path, rows: list[Row], ends: dict[int, float], size: int) -> None:
    names = {1.0: " (Calabi)", 0.0: " (Kaehler-Ricci)", -1.0: " (natural gradient)"}
    with picture(path, columns=len(ends)) as axes:
        for one, (ambient, wanted) in zip(np.atleast_1d(axes), ends.items(), strict=True):
            for row in (row for row in rows if row.ambient == ambient):
                steps, label = 1 + np.arange(len(row.gains)), f"p = {row.power:g}{names.get(row.power, '')}"
                one.loglog(steps, row.gains, label=label)
            one.axhline(wanted, color="0.6", lw=0.8, ls="--", label="Gauss-Newton")
            title = f"{NAMES[ambient]}, k = {DEGREE}, {size} points"
            finished(one, xlabel="1 + steps", ylabel="gain in sigma, train points", title=title)
            # Curves reach all corners; the legend gets room above them.
            one.set_ylim(0.7, 60 * wanted)
            one.legend(frameon=False, fontsize="small", loc="upper left", ncols=2)
