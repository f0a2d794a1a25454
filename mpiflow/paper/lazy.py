"""What the theory says of networks, measured on them: linear ones in closed form, and steps as metric flows (HR 2.7 - 2.12)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mpiflow.comm import Comm
from mpiflow.paper import linear_limit, network_steps, two_charts
from mpiflow.paper.claims import Claim
from mpiflow.paper.picture import finished, picture, show, told

TITLE = "linearised networks in closed form, and gradient steps as metric flows (HR 2.7 - 2.12); needs the extra nn"
SIZES = {"laptop": 1000, "node": 3000, "cluster": 9000}
#: What is said of each part, and how it is measured.
PARTS = {
    "ensemble": "networks at t = 1 from the closed solution, largest over other points, in deviations",
    "single": "a network from its own linearisation",
    "bands": "share of the true metric within 2 deviations of the mean of all networks, and rms error in deviations",
    "step": "a step from the flow under the network's own kernel",
    "course": "many steps from that flow",
    "noise": "noise of random batches over a step, and exactly",
    "mixing": "blocks of the kernel that mix components, over all of it",
    "charts": "a step in two charts, difference over the step",
}
MEASURES = {
    "ensemble": linear_limit.ensemble,
    "single": linear_limit.single,
    "bands": linear_limit.bands,
    "step": network_steps.steps,
    "course": network_steps.courses,
    "noise": network_steps.noise,
    "mixing": network_steps.mixing,
    "charts": network_steps.charts,
}


@dataclass(frozen=True)
class Row:
    """One number: what is measured, of what, at which width, number of points, dt or batch; and what stands beside it."""

    part: str
    what: str
    at: float
    found: float
    beside: float = np.nan


def run(comm: Comm, out: Path, size: int, say: Callable[[str], None], seed: int = 1) -> list[Row]:
    """Measure all of it and draw out/lazy.png; collective."""
    rows: list[Row] = []
    for part, shown in PARTS.items():
        say(f"{shown}:")
        rows += told(_together(comm, MEASURES[part], size, seed), say, _line)
    for what, order in orders(rows).items():
        say(f"order of {what}: {order:.2f}")
    show(comm, say, out / "lazy.png", _draw, rows)
    return rows


def orders(rows: list[Row]) -> dict[str, float]:
    """Powers, by least squares of logarithms: of 1/width, of dt, of 1/batch, and of 1/width again."""
    signs = {"single": -1, "step": 1, "course": 1, "mixing": -1}
    found = {}
    for part, sign in signs.items():
        for what in dict.fromkeys(row.what for row in rows if row.part == part):
            here = [(row.at, row.found) for row in rows if (row.part, row.what) == (part, what) and row.found > 1e-12]
            if len(here) > 1:
                found[f"{PARTS[part]}, {what}"] = sign * float(np.polyfit(*np.log(np.array(here).T), 1)[0])
    return found


def claims(rows: list[Row]) -> list[Claim]:
    """What HR say of wide networks and of steps, beside what was found."""
    powers = orders(rows)
    found = [
        Claim("mean of networks against HR 2.12 at t = 1, largest, in deviations", "0", _worst(rows, "mean"), 0, 0.15),
        Claim("covariance of networks at t = 1, largest, in deviations", "0", _worst(rows, "covariance"), 0, 0.25),
    ]
    for what, order in powers.items():
        if what.startswith(PARTS["single"]):
            found.append(Claim(f"order in 1/width of {what}", "1/2 or more", order, 0.4, 1.1))
        if what.startswith((PARTS["step"], PARTS["course"])):
            found.append(Claim(f"order in dt of {what}", "1", order, 0.9, 1.1))
    # Of each manifold the last, on most points.
    for row in {row.what: row for row in rows if row.part == "bands"}.values():
        because = f"errors are {row.beside:.2g} deviations, rms: a network's first values tell nothing of what metrics are like"
        what = f"{row.what}, {row.at:.0f} points: share of the true metric in the 2 sd band"
        found.append(Claim(what, "95 %", row.found, 0.9, 0.99, because))
    ratios = [row.found / row.beside for row in rows if row.part == "noise"]
    found.append(Claim("noise of random batches over its exact value", "1", max(ratios, key=_away), 0.9, 1.1))
    for row in (row for row in rows if row.part == "mixing" and row.at == network_steps.MIXED[0]):
        independent = row.what == "independent"
        paper, low, high = ("0", 0, 1e-14) if independent else ("not 0", 1e-3, 1)
        found.append(Claim(f"share of blocks that mix components, {row.what}", paper, row.found, low, high))
    for row in (row for row in rows if row.part == "charts"):
        tensor = row.what in two_charts.TENSORS
        paper, low, high = ("0", 0, 1e-9) if tensor else ("not 0", 1e-3, 1e3)
        found.append(Claim(f"a step in two charts, {row.what}: difference", paper, row.found, low, high))
    return found


def _worst(rows: list[Row], what: str) -> float:
    return max(row.found for row in rows if (row.part, row.what) == ("ensemble", what))


def _away(ratio: float) -> float:
    return abs(np.log(ratio))


def _together(comm: Comm, measure: Callable[..., Iterator[tuple]], size: int, seed: int) -> list[Row]:
    """The rows of a part. Flows are of all ranks; what is small rank 0 computes alone."""
    if measure is linear_limit.bands:
        return [Row(*each) for each in measure(comm, size, seed)]
    return comm.led(lambda: [Row(*each) for each in measure(Comm(), size, seed)])


def _line(row: Row) -> str:
    beside = "" if np.isnan(row.beside) else f"{row.beside:12.4g}"
    return f"{row.what:>30}{row.at:12.4g}{row.found:12.4g}{beside}"


def _draw(path: Path, rows: list[Row]) -> None:
    until, widths = network_steps.UNTIL, network_steps.MIXED
    with picture(path, columns=4, size=(4.6, 3.9)) as axes:
        wide, bands, steps, mixed = axes
        for what in ("mean", "covariance"):
            wide.loglog(*_curve(rows, "ensemble", what), "o-", label=f"{what} of {linear_limit.MEMBERS} networks")
        wide.loglog(*_curve(rows, "single", "its own linearisation"), "s-", label="a network, its own linearisation")
        for what in linear_limit.NAMES.values():
            here = [row for row in rows if (row.part, row.what) == ("bands", what)]
            bands.loglog([row.at for row in here], [row.beside for row in here], "o-", label=what)
        bands.axhline(1, color="0.45", ls="--", lw=1.2, label="an honest band")
        for number, kind in enumerate(network_steps.KINDS):
            steps.loglog(*_curve(rows, "step", kind), "o-", color=f"C{number}", label=f"{kind}: a step")
            # Two of them lie on each other.
            steps.loglog(*_curve(rows, "course", kind), "s:", color=f"C{number}", ms=10 - 2 * number, mfc="none")
            if kind != "independent":
                mixed.loglog(*_curve(rows, "mixing", kind), "o-", label=kind)
        finished(
            wide, xlabel="width", ylabel="distance, in deviations or relative", title="networks and their linear limit"
        )
        finished(bands, xlabel="train points", ylabel="rms error / deviation of networks", title="is the band honest?")
        finished(
            steps, xlabel="dt", ylabel="distance from the flow, relative", title=f"steps; dotted: many, to t = {until}"
        )
        mixed.set_xticks(widths, labels=[f"{width}" for width in widths])
        mixed.tick_params(axis="x", which="minor", labelbottom=False)
        finished(mixed, xlabel="width", ylabel="share of the kernel", title="components that mix")


def _curve(rows: list[Row], part: str, what: str) -> tuple[list[float], list[float]]:
    here = [row for row in rows if (row.part, row.what) == (part, what)]
    return [row.at for row in here], [row.found for row in here]
