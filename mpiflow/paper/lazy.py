"""What the theory says of networks, measured on them: linear ones in closed form, and steps as metric flows (HR 2.7 - 2.12)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mpiflow import hermitian
from mpiflow.comm import Comm
from mpiflow.config import check
from mpiflow.job import evaluate
from mpiflow.job.flowing import Flowing
from mpiflow.kernels.relu import ReluNTK
from mpiflow.measures import kappa_of
from mpiflow.paper import two_charts
from mpiflow.paper.claims import Claim
from mpiflow.paper.picture import finished, leave, picture

if TYPE_CHECKING:
    from mpiflow.network.ensemble import Problem
    from mpiflow.network.step import Step

TITLE = "linearised networks in closed form, and gradient steps as metric flows (HR 2.7 - 2.12); needs the extra nn"
SIZES = {"laptop": 1000, "node": 3000, "cluster": 9000}
#: Known and other points of ensembles, their time; widths, members; widths and draws of single networks.
KNOWN, OTHERS, TIME = 12, 5, 1.0
WIDTHS, MEMBERS = (64, 256, 1024), 300
SINGLE, DRAWS = (64, 256, 1024, 4096), 5
KERNEL = ReluNTK(depth=1)
#: Numbers of train points over that of the figure, whose bands are held against what is true; t = inf.
SHARES, FOREVER = (0.03, 0.1, 0.3, 1.0), 1e30
NAMES = {2: "torus", 3: "K3", 4: "quintic"}
#: Points and networks of steps; their lengths; a time, and steps to it; batches, and draws of each.
POINTS, UNITS = 40, 16
LENGTHS, UNTIL, STEPS = tuple(0.02 / 2**k for k in range(6)), 0.05, (16, 32, 64, 128)
BATCHES, BATCHED = (1, 4, 20), 400
KINDS = ("multiplicative", "additive", "potential", "independent")
#: Widths at which components mix.
MIXED = (16, 64, 256)


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
        for row in _together(comm, MEASURES[part], size, seed):
            rows.append(row)
            say(_line(row))
    for what, order in orders(rows).items():
        say(f"order of {what}: {order:.2f}")
    with comm.lead() as mine:
        if mine:
            leave(_draw, out / "lazy.png", rows)
    say(f"picture: {out / 'lazy.png'}")
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
    for row in (row for row in rows if row.part == "mixing" and row.at == MIXED[0]):
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


def _together(comm: Comm, measure: Callable[..., Iterator[Row]], size: int, seed: int) -> list[Row]:
    """The rows of a part. Flows are of all ranks; what is small rank 0 computes alone."""
    if measure is _bands:
        return list(measure(comm, size, seed))
    found = None
    with comm.lead() as mine:
        if mine:
            found = list(measure(Comm(), size, seed))
    return comm.bcast(found)


def _ensemble(comm: Comm, size: int, seed: int) -> Iterator[Row]:
    from mpiflow.network.ensemble import off

    problem = _problem(comm, seed)
    mean, spread = problem.exact()
    for width in WIDTHS:
        found = problem.ensemble(width, range(seed * 10_000, seed * 10_000 + MEMBERS))
        for what, apart in zip(("mean", "covariance"), off(found, mean, spread), strict=True):
            yield Row("ensemble", what, width, apart)


def _single(comm: Comm, size: int, seed: int) -> Iterator[Row]:
    problem = _problem(comm, seed)
    for width in SINGLE:
        each = [problem.departure(width, seed * 10_000 + draw) for draw in range(DRAWS)]
        yield Row("single", "its own linearisation", width, float(np.sqrt(np.mean(np.square(each)))))


def _problem(comm: Comm, seed: int) -> Problem:
    """What is to be added to g_11 of the quintic, known at few points."""
    from mpiflow.network.ensemble import Problem

    made = _flowing(comm, 4, KNOWN, seed, OTHERS)
    wanted = (_goal(made, made.train) - made.train.reference(made.surface))[:, 0, 0].real
    return Problem(KERNEL, made.train.points.z, wanted, made.test.points.z, TIME)


def _bands(comm: Comm, size: int, seed: int) -> Iterator[Row]:
    """The share of what is true within two deviations of the mean of all networks, and the gain of that mean."""
    for ambient, name in NAMES.items():
        for count in (max(KNOWN, int(share * size)) for share in SHARES):
            made = _flowing(comm, ambient, count, seed, 1000).finish()
            test, predictor = made.test, made.predictor()
            p = test.points
            mean = predictor.metric(test.layout, p.z, p.chart)
            band = predictor.band(test.layout, p.z, FOREVER)[:, None]
            off = np.abs(hermitian.to_reals(mean - _goal(made, test))) / band
            total = test.layout.sum(np.stack([(off < 2).mean(1), (off**2).mean(1)], axis=1)) / test.layout.total
            yield Row("bands", name, count, float(total[0]), float(np.sqrt(total[1])))
            gain = evaluate.flowed(made.surface, predictor, "unseen", test, made.train, defect=False).gain
            yield Row("gains", f"{name}, gain of the mean", count, gain)


def _flowing(comm: Comm, ambient: int, train: int, seed: int, test: int) -> Flowing:
    table = {
        "run": {"seed": seed},
        "manifold": {"ambient": ambient},
        "points": {"train": train, "test": test},
        "kernel": KERNEL.model_dump(),
        "flow": {"dt": FOREVER, "steps": 1, "loss": "mse", "search": "exact"},
    }
    return Flowing.begun(comm, check(table, "lazy"))


def _goal(made: Flowing, points) -> np.ndarray:
    """The metric that is learnt, at points: (n_r, d, d)."""
    kappa = kappa_of(made.train.layout, made.train.points, made.train.reference(made.surface))
    return made.config.flow.loss.target(points.reference(made.surface), points.points.omega2, kappa)


def _steps(comm: Comm, size: int, seed: int) -> Iterator[Row]:
    for kind in KINDS:
        for dt, apart in zip(LENGTHS, _step(comm, kind, UNITS, seed).departures(list(LENGTHS)), strict=True):
            yield Row("step", kind, dt, apart)


def _courses(comm: Comm, size: int, seed: int) -> Iterator[Row]:
    for kind in KINDS:
        for count, apart in zip(STEPS, _step(comm, kind, UNITS, seed).ends(UNTIL, list(STEPS)), strict=True):
            yield Row("course", kind, UNTIL / count, apart)


def _noise(comm: Comm, size: int, seed: int) -> Iterator[Row]:
    for kind in KINDS[:3]:
        step = _step(comm, kind, UNITS, seed)
        for batch in BATCHES:
            yield Row("noise", kind, batch, *step.noise(batch, BATCHED, LENGTHS[-1] / 100, seed))


def _mixing(comm: Comm, size: int, seed: int) -> Iterator[Row]:
    for kind in KINDS:
        for width in MIXED:
            each = [_step(comm, kind, width, seed * 100 + draw, 1.0).mixing() for draw in range(DRAWS)]
            yield Row("mixing", kind, width, float(np.mean(each)))


def _step(comm: Comm, kind: str, width: int, seed: int, share: float = 0.5) -> Step:
    """A network of a kind on points of the quintic, with a share of the parameters that it begins with."""
    from mpiflow.methods import network
    from mpiflow.network.step import Step

    table = {
        "run": {"seed": seed},
        "points": {"train": POINTS, "test": 10},
        "network": {"kind": kind, "width": width, "depth": 2},
        "flow": {"dt": 1.0, "loss": "monge-ampere"},
    }
    config = check(table, "lazy")
    made = Flowing.begun(comm, config)
    goal, p = network.objective(config, made.surface), made.train.points
    kappa = kappa_of(made.train.layout, p, made.train.reference(made.surface))
    columns = goal.kind.columns(made.surface, p.z, p.chart) | {
        "volume": 1 / (kappa * goal.kind.density(made.surface, p))
    }
    columns.pop("lower", None)
    return Step(goal, share * goal.architecture.initial(seed, silent=False), columns)


def _charts(comm: Comm, size: int, seed: int) -> Iterator[Row]:
    for name in two_charts.FLOWS:
        yield Row("charts", name, size, two_charts.difference(name, min(size, 300), seed))


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
    "ensemble": _ensemble,
    "single": _single,
    "bands": _bands,
    "step": _steps,
    "course": _courses,
    "noise": _noise,
    "mixing": _mixing,
    "charts": _charts,
}


def _line(row: Row) -> str:
    beside = "" if np.isnan(row.beside) else f"{row.beside:12.4g}"
    return f"{row.what:>30}{row.at:12.4g}{row.found:12.4g}{beside}"


def _draw(path: Path, rows: list[Row]) -> None:
    with picture(path, columns=4, size=(4.6, 3.9)) as axes:
        wide, bands, steps, mixed = axes
        for what in ("mean", "covariance"):
            wide.loglog(*_curve(rows, "ensemble", what), "o-", label=f"{what} of {MEMBERS} networks")
        wide.loglog(*_curve(rows, "single", "its own linearisation"), "s-", label="a network, its own linearisation")
        for what in NAMES.values():
            here = [row for row in rows if (row.part, row.what) == ("bands", what)]
            bands.loglog([row.at for row in here], [row.beside for row in here], "o-", label=what)
        bands.axhline(1, color="0.45", ls="--", lw=1.2, label="an honest band")
        for number, kind in enumerate(KINDS):
            steps.loglog(*_curve(rows, "step", kind), "o-", color=f"C{number}", label=f"{kind}: a step")
            steps.loglog(*_curve(rows, "course", kind), "s:", color=f"C{number}")
            if kind != "independent":
                mixed.loglog(*_curve(rows, "mixing", kind), "o-", label=kind)
        finished(
            wide, xlabel="width", ylabel="distance, in deviations or relative", title="networks and their linear limit"
        )
        finished(bands, xlabel="train points", ylabel="rms error / deviation of networks", title="is the band honest?")
        finished(
            steps, xlabel="dt", ylabel="distance from the flow, relative", title=f"steps; dotted: many, to t = {UNTIL}"
        )
        mixed.set_xticks(MIXED, labels=[f"{width}" for width in MIXED])
        mixed.tick_params(axis="x", which="minor", labelbottom=False)
        finished(mixed, xlabel="width", ylabel="share of the kernel", title="components that mix")


def _curve(rows: list[Row], part: str, what: str) -> tuple[list[float], list[float]]:
    here = [row for row in rows if (row.part, row.what) == (part, what)]
    return [row.at for row in here], [row.found for row in here]
