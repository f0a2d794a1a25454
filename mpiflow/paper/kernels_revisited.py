"""Frozen kernels that generalise: gain on unseen points of Kaehler potentials beside the paper's kernels (HR 3.2, app. B).

The limits: invariant features are a prior made by hand, generic ones need about as many points as features, N_k^2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mpiflow.comm import Comm
from mpiflow.config import check
from mpiflow.errors import InputError
from mpiflow.geometry.families.fermat import Fermat
from mpiflow.job import evaluate
from mpiflow.job.flowing import Flowing
from mpiflow.kernels.sections import sections
from mpiflow.paper.claims import Claim
from mpiflow.paper.picture import PAPER, finished, leave, picture
from mpiflow.paper.trained import network_rows

TITLE = "gain of frozen Kaehler kernels on unseen points, beside the paper's kernels (HR 3.2, app. B)"
SIZES = {"laptop": 1000, "node": 10_000, "cluster": 100_000}
TEST, STEPS = 1000, 50
#: The best gain of any frozen kernel on unseen points that HR reports.
PAPER_BEST = 5.0
_INVARIANT, _GENERIC = (2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24), (1, 2, 3, 4)
#: Train points of the second panel; up to so many times the size of the run, for generic features are slow.
_COUNTS = (50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)
_INVARIANT_MOST, _GENERIC_MOST = 100, 20
_COMPONENT = {
    "Gaussian .4": ({"name": "gaussian", "width": 0.4}, {"dt": 0.03, "normalisation": "row"}),
    "Delta": ({"name": "delta"}, {"dt": 0.01, "normalisation": "sum"}),
    "ReLU NTK": ({"name": "relu"}, {"dt": 0.05}),
}

#: Finite networks, trained rather than frozen.
_NETWORKS = {"multiplicative": "network g_FS (1 + NN)", "potential": "network of phi"}


@dataclass(frozen=True)
class Row:
    """One kernel on `points` train points of one chart; features: 0 for the paper's kernels and for no kernel."""

    kernel: str
    degree: int
    features: int
    points: int
    train_gain: float
    gain: float
    deviation: float
    positive: float
    defect: float | None


def run(comm: Comm, out: Path, size: int, say: Callable[[str], None], seed: int = 1) -> list[Row]:
    """Measure all kernels in one chart, 50 Euler steps of one frozen kernel, and draw out/kernels-revisited.png.

    size: train points of the first panel; the second goes to a hundred times as many. Collective.
    """
    say(f"{'kernel':22}{'k':>4}{'features':>9}{'points':>8}{'train':>11}{'unseen':>11}{'|eta-1|':>10}{'defect':>9}")

    def told(rows: list[Row]) -> list[Row]:
        for row in rows:
            say(_line(row))
        return rows

    rows: list[Row] = []
    for name, (kernel, flow) in _COMPONENT.items():
        rows += told(_measured(comm, seed, name, kernel, flow, size, baselines=name == "ReLU NTK"))
    rows += told(_measured(comm, seed, "diagonal C", _kaehler(12, preconditioner="diagonal"), {"dt": 0.3}, size))
    rows += told(_networks(comm, seed, size, say))
    cases = [("invariant", k, size) for k in _INVARIANT] + [("generic", k, size) for k in _GENERIC]
    more = [n for n in _COUNTS if n != size]
    cases += [("invariant", k, n) for n in more if n <= _INVARIANT_MOST * size for k in (8, 12)]
    cases += [("generic", 2, n) for n in more if n <= _GENERIC_MOST * size]
    for kind, degree, count in cases:
        if _wanted(kind, degree, count):
            kernel = _kernel(kind, degree)
            rows += told(_measured(comm, seed, kind, kernel, {"dt": 0.45}, count))
    with comm.lead() as mine:
        if mine:
            leave(_draw, out / "kernels-revisited.png", rows, size)
    say(f"picture: {out / 'kernels-revisited.png'}")
    return rows


def _networks(comm: Comm, seed: int, size: int, say: Callable[[str], None]) -> list[Row]:
    """Finite networks on the same points, for comparison; none without JAX."""
    rows = []
    for kind, name in _NETWORKS.items():
        try:
            seen, unseen = network_rows(comm, seed, size, TEST, kind=kind)
        except InputError as missing:
            say(f"{name}: left out: {missing}")
            continue
        rows.append(_row(name, 0, 0, size, seen.gain, unseen))
    return rows


def claims(rows: list[Row]) -> list[Claim]:
    """The paper's conclusion on frozen kernels, for its own kernels and for all."""
    size = rows[0].points
    own = max(row.gain for row in rows if row.kernel in _COMPONENT and row.points == size)
    kaehler = max(row.gain for row in rows if row.kernel == "invariant" and row.points == size)
    train = next(row.train_gain for row in rows if row.kernel == "Delta" and row.points == size)
    return [
        Claim("gain on unseen points, best kernel of independent components", "about 5", own, 4.0, 6.0),
        Claim("gain on train points, Delta", "1e6", train, 1e5, 1e7, "in float64; in float32 it ends near 5e6"),
        Claim(
            "gain on unseen points, best frozen kernel",
            "about 5",
            kaehler,
            4.0,
            6.0,
            "a kernel of potentials that respect the symmetry is Kaehler and generalises: not every frozen kernel is local",
        ),
    ]


def features_of(kind: str, degree: int) -> int:
    """Number of features on the Fermat quintic."""
    surface = Fermat().domain()
    return surface.symmetry.count(degree) if kind == "invariant" else len(sections(surface, degree))


def _wanted(kind: str, degree: int, points: int) -> bool:
    """Invariants where points determine them; generic ones even where they overfit, up to twice as many as points."""
    features = features_of(kind, degree)
    return 2.5 * features <= points if kind == "invariant" else features <= 2 * points


def _kernel(kind: str, degree: int) -> dict:
    """Frozen once at g_FS; above k = 14 a second time, after 20 steps in degree 12, for g_FS is too far away."""
    if kind == "generic":
        return _kaehler(degree, features=kind, ridge=1e-6)
    return _kaehler(degree) if degree <= 14 else _kaehler(degree, warm=12, refreeze=20)


def _kaehler(degree: int, **options) -> dict:
    return {"name": "kaehler", "degree": degree} | options


def _measured(
    comm: Comm, seed: int, name: str, kernel: dict, flow: dict, count: int, baselines: bool = False
) -> list[Row]:
    """Flow one kernel; with `baselines` also the conformal and the Fubini-Study metric."""
    table = {
        "run": {"seed": seed},
        "points": {"train": count, "test": TEST},
        "kernel": kernel,
        "flow": flow | {"steps": STEPS},
    }
    made = Flowing.begun(comm, check(table, name))
    if not _determined(made):
        return []
    seen, unseen, conformal, plain = made.finish().table()
    degree = kernel.get("degree", 0)
    features = features_of(kernel.get("features", "invariant"), degree) if degree else 0
    rows = [_row(name, degree, features, count, seen.gain, unseen)]
    if baselines:
        rows += [_row("conformal, not Kaehler", 0, 0, count, conformal.gain, conformal)]
        rows += [_row("Fubini-Study", 0, 0, count, 1.0, plain)]
    return rows


def _determined(made: Flowing) -> bool:
    """Whether the train points determine the features, without which there is no flow."""
    try:
        return made.flow is not None
    except InputError:
        return False


def _row(name: str, degree: int, features: int, count: int, train_gain: float, unseen: evaluate.Row) -> Row:
    return Row(
        name, degree, features, count, train_gain, unseen.gain, unseen.eta_deviation, unseen.positive, unseen.defect
    )


def _line(row: Row) -> str:
    defect = "n/a" if row.defect is None else f"{row.defect:.0e}"
    gains = f"{row.train_gain:11.4g}{row.gain:11.4g}{row.deviation:10.2g}{defect:>9}"
    return f"{row.kernel:22}{row.degree or '':>4}{row.features or '':>9}{row.points:8d}{gains}"


def _draw(path: Path, rows: list[Row], size: int) -> None:
    with picture(path, columns=2) as (left, right):
        for kind, colour in (("invariant", "C0"), ("generic", "C1")):
            here = [row for row in rows if row.kernel == kind and row.points == size]
            left.semilogy([r.degree for r in here], [r.gain for r in here], "o-", color=colour, label=f"{kind}, unseen")
            left.semilogy(
                [r.degree for r in here], [r.train_gain for r in here], ":", color=colour, label=f"{kind}, train"
            )
            for degree, mark in ((8, "s-"), (12, "o-"), (2, "^-")):
                line = sorted((r.points, r.gain) for r in rows if r.kernel == kind and r.degree == degree)
                if len(line) > 1:
                    right.loglog(*np.array(line).T, mark, color=colour, label=f"{kind}, k = {degree}")
        for style, row in zip((":", "-."), (r for r in rows if r.kernel in _NETWORKS.values()), strict=False):
            left.axhline(row.gain, color="C2", ls=style, lw=1, label=f"{row.kernel}, trained")
        for axes in (left, right):
            axes.axhline(PAPER_BEST, label="best frozen kernel of the paper", **PAPER)
        left.set_xticks(range(0, max(row.degree for row in rows) + 1, 2))
        finished(left, xlabel="degree k", ylabel="gain in sigma", title=f"{size} train points, one chart")
        finished(right, xlabel="train points", ylabel="gain in sigma on unseen points", title="50 steps, frozen kernel")
