"""Exact answers: the cubic by Weierstrass' functions, and what kernels learn of the quintic's log eta if they are told it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import linalg

from mpiflow import losses
from mpiflow.comm import Comm
from mpiflow.config import check
from mpiflow.job.flowing import Flowing
from mpiflow.paper import weierstrass
from mpiflow.paper.claims import Claim, near
from mpiflow.paper.picture import PAPER, finished, picture, show, told
from mpiflow.predictor import Model

TITLE = "oracles: the cubic by Weierstrass' functions (HR 3.2.4), and kernels that are told the exact log eta of the quintic"
SIZES = {"laptop": 4000, "node": 8000, "cluster": 16_000}
LEAST = 400
#: Points of the lattice along each period; train points of the flows on the cubic, and the degree of the potential's.
CELLS, TRAIN, DEGREE = 96, 1000, 12
#: Shares of the points that a kernel is told log eta on; unseen points; ridges over the diagonal, the best of which counts.
SHARES, UNSEEN, RIDGES = (16, 4, 1), 2000, (1e-12, 1e-9, 1e-6, 1e-4, 1e-3, 1e-2)
#: The kernels that are told.
TOLD = {
    "relu, two layers": {"name": "relu", "depth": 2},
    "relu, three layers": {"name": "relu", "depth": 3},
    "erf, two layers": {"name": "erf", "depth": 2},
    "gelu, two layers": {"name": "gelu", "depth": 2},
    "gaussian .4": {"name": "gaussian", "width": 0.4},
    "cosine, 1 / w_std = .4": {"name": "cosine", "w_std": 2.5},
}
#: Flows on the cubic: keys of the run file, in one chart and in all.
FLOWS = {
    "gaussian .4": ([0, 1], {"name": "gaussian", "width": 0.4}, {"dt": 0.03, "normalisation": "row", "steps": 50}),
    "relu, two layers": ([0, 1], {"name": "relu", "depth": 2}, {"dt": 0.05, "steps": 50}),
    "kaehler, k = 12": (
        "all",
        {"name": "kaehler", "degree": DEGREE},
        {"dt": 1.0, "steps": 6, "search": "gauss-newton"},
    ),
}


@dataclass(frozen=True)
class Row:
    """One answer: ours and the exact one, and how near it must be (0: no claim); or a kernel's unseen gain, told at points."""

    what: str
    ours: float
    exact: float = np.nan
    points: int = 0
    ridge: float = np.nan
    within: float = 0.0


def run(comm: Comm, out: Path, size: int, say: Callable[[str], None], seed: int = 1) -> list[Row]:
    """Hold the cubic against its lattice, tell kernels log eta on up to `size` points, draw out/oracle.png; collective."""
    say(f"{'the cubic':>52}{'ours':>15}{'by the lattice':>16}")
    rows = told(comm.led(_cubic, size, seed), say, lambda row: f"{row.what:>52}{row.ours:15.8g}{row.exact:16.8g}")
    say(f"{'told log eta of the quintic, two layers unless said':>52}{'points':>15}{'unseen gain':>16}{'ridge':>9}")
    rows += told(
        comm.led(_told, size, seed), say, lambda row: f"{row.what:>52}{row.points:15}{row.ours:16.3f}{row.ridge:9.0e}"
    )
    show(comm, say, out / "oracle.png", _draw, rows)
    return rows


def claims(rows: list[Row]) -> list[Claim]:
    """The cubic is what its lattice says; and how much more than 5 there is for kernels of components that are told all."""
    found = [near(row.what, row.exact, row.ours, within=row.within) for row in rows if row.within]
    most = max(row.points for row in rows)
    told = [row for row in rows if row.points == 1000] or [row for row in rows if row.points == most]
    ceiling = max(row.ours for row in told if row.what.startswith("relu"))
    what = f"unseen gain of a ReLU NTK told the exact log eta at {told[0].points} points"
    found.append(Claim(what, "about 5, reached by flows", ceiling, 3.5, 8.0))
    if most > told[0].points:
        best = max(row.ours for row in rows if row.points == most)
        found.append(Claim(f"best of the kernels that are told it at {most} points", "about 5", best, 3.5, 8.0, _MORE))
    return found


_MORE = "about 5 is of 1000 points: with more of them all kernels learn more, smooth ones most"


def _cubic(size: int, seed: int) -> list[Row]:
    """Measures of points and of flows beside what the lattice says."""
    made = {name: _flowed(*keys, size, seed) for name, keys in FLOWS.items()}
    every = made[f"kaehler, k = {DEGREE}"]
    surface, table = every.surface, every.evaluate(2000, seed + 1)
    z = surface.scaled(weierstrass.points(weierstrass.lattice(CELLS)))
    chart = surface.chart_of(z)
    omega2, g = surface.omega2(z, chart), surface.reference(z, chart)[:, 0, 0].real
    kappa = 3 * np.pi / weierstrass.VOLUME
    ratio = g / omega2
    weight = every.train.points.weight
    rows = [
        Row("largest |Q| at lattice points", float(surface.off(z).max()), 0.0, within=1e-12),
        Row(
            "integral of |Omega|^2, by the weights of points",
            3 * np.pi * weight.mean(),
            weierstrass.VOLUME,
            within=0.05,
        ),
        Row("kappa of the flow of the potential, by the area", every.kappa, kappa, within=0.05),
        Row("kappa, by g_FS on the lattice and by its area", float(ratio.mean()), kappa, within=1e-10),
        Row("sigma of g_FS, 2000 points", table[-1].sigma, _sigma(ratio), within=0.03),
    ]
    phi = weierstrass.potential((weierstrass.OMEGA2 * (kappa - ratio)).reshape(CELLS, CELLS)).ravel()
    found = every.potential(z)
    off = _rms(found - found.mean() - phi) / _rms(phi)
    rows.append(Row(f"potential, k = {DEGREE}: rms off the exact one, relative", off, 0.0, within=1e-6))
    for name, model in made.items():
        here = (chart == FLOWS[name][0]).all(1) if FLOWS[name][0] != "all" else np.ones(len(z), bool)
        metric, exact = model.metric(z[here])[:, 0, 0].real, kappa * omega2[here]
        off = _rms(metric / exact - 1) / _rms(g[here] / exact - 1)
        rows.append(Row(f"{name}: rms off the exact metric over g_FS's", off, 0.0))
    return rows


def _flowed(chart: list[int] | str, kernel: dict, flow: dict, size: int, seed: int) -> Model:
    """A flow on the cubic, as a function of points."""
    table = {
        "run": {"seed": seed},
        "manifold": {"family": "fermat", "ambient": 2},
        "points": {"train": size if chart == "all" else min(size, TRAIN), "test": 10, "chart": chart},
        "kernel": kernel,
        "flow": flow,
    }
    made = Flowing.begun(Comm(), check(table, "oracle")).finish()
    return Model(made, made.predictor(), made.step, {}, {})


def _told(size: int, seed: int) -> list[Row]:
    """Of each kernel and number of points the gain of g_FS exp(-f / d) on unseen ones, f what it makes of log eta there."""
    table = {
        "run": {"seed": seed},
        "points": {"train": size, "test": UNSEEN},
        "kernel": TOLD["relu, two layers"],
        "flow": {"dt": 1.0},
    }
    made = Flowing.begun(Comm(), check(table, "oracle"))
    (z, wanted, _), (unseen, there, weight) = (_known(made, each) for each in (made.train, made.test))
    rows = []
    for name, keys in TOLD.items():
        kernel = check(table | {"kernel": keys}, "oracle").kernel
        for points in sorted({size // share for share in SHARES}):
            matrix, across = kernel.tile(z[:points], z[:points]), kernel.tile(unseen, z[:points])
            mean = wanted[:points].mean()
            gains = {}
            for ridge in RIDGES:
                learned = _solved(matrix, ridge, wanted[:points] - mean)
                if learned is not None:
                    gains[ridge] = _gain(there, weight, across @ learned)
            best = max(gains, key=gains.get)
            rows.append(Row(name, gains[best], points=points, ridge=best))
    return rows


def _known(made: Flowing, points) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (N, n+1), the exact log eta of g_FS up to a constant, and weights: (N,)."""
    p = points.points
    return p.z, np.log(losses.determinant(points.reference(made.surface)) / p.omega2), p.weight


def _solved(matrix: np.ndarray, ridge: float, right: np.ndarray) -> np.ndarray | None:
    """(K + ridge mean diagonal)^-1 times a vector; None where it is singular to rounding."""
    try:
        factor = linalg.cho_factor(matrix + ridge * matrix.diagonal().mean() * np.eye(len(matrix)), lower=True)
    except linalg.LinAlgError:
        return None
    return linalg.cho_solve(factor, right)


def _gain(wanted: np.ndarray, weight: np.ndarray, learned: np.ndarray) -> float:
    """sigma of log eta over that of what is left of it."""
    return _sigma(np.exp(wanted), weight) / _sigma(np.exp(wanted - learned), weight)


def _sigma(ratio: np.ndarray, weight: np.ndarray | None = None) -> float:
    """The sigma measure of eta up to a factor."""
    w = np.ones(len(ratio)) if weight is None else weight
    return float((w * np.abs(1 - ratio * w.sum() / (w @ ratio))).sum() / w.sum())


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))


def _draw(path: Path, rows: list[Row]) -> None:
    told = [row for row in rows if row.points]
    flows = [row for row in rows if "over g_FS's" in row.what]
    with picture(path, columns=2) as (left, right):
        left.bar(np.arange(len(flows)), [1 / row.ours for row in flows], 0.6, label="flows, as they are run")
        left.set_yscale("log")
        left.set_xticks(np.arange(len(flows)), labels=[row.what.partition(":")[0] for row in flows], fontsize="small")
        for name in TOLD:
            mine = [row for row in told if row.what == name]
            right.semilogx([row.points for row in mine], [row.ours for row in mine], "o-", ms=4, label=name)
        right.axhline(5, label="best of any kernel (paper)", **PAPER)
        counts = sorted({row.points for row in told})
        right.set_xticks(counts, labels=[f"{count}" for count in counts])
        right.tick_params(axis="x", which="minor", labelbottom=False)
        finished(left, ylabel="rms error of $g_{FS}$ over that of g", title="the cubic, against its lattice")
        finished(
            right, xlabel="points told", ylabel="gain in sigma, unseen points", title="told the exact log eta, quintic"
        )
