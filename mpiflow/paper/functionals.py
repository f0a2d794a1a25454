"""Where the functionals of app. B end on one space of potentials, and what HR say of them (HR app. B)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mpiflow.comm import Comm
from mpiflow.config import check
from mpiflow.errors import NumericalError
from mpiflow.functionals.calabi import Calabi
from mpiflow.functionals.calabi_projected import raised
from mpiflow.functionals.j import J
from mpiflow.functionals.mabuchi import Mabuchi
from mpiflow.job.flowing import Flowing
from mpiflow.paper.claims import Claim
from mpiflow.paper.picture import finished, picture, show

TITLE = "the functionals of app. B: where Mabuchi, KL, Calabi, sigma and J end, and Kaehler-Ricci"
SIZES = {"laptop": 2000, "node": 10_000, "cluster": 100_000}
#: n of P^n and degree of the features. Steps, with C anew in each.
CASES, STEPS = {"torus": (2, 12), "K3": (3, 8), "quintic": (4, 8), "quintic, k = 12": (4, 12)}, 40
_NATURAL = {"refreeze": 1}
_REWEIGHTED = {"preconditioner": "reweighted", "refreeze": 1}
_CURVED = {"preconditioner": "curvature", "refreeze": 1}
_RICCI = {"preconditioner": {"name": "family", "implicit": True, "growth": 2.0}}
#: What is flowed: the keys of its kernel and of its flow.
FLOWS = {
    "gauss-newton": ({}, {"dt": 1.0, "steps": 8, "search": "gauss-newton"}),
    "kaehler-ricci": (_RICCI, {"dt": 0.01, "steps": 22, "loss": "mabuchi"}),
    "mabuchi": (_NATURAL, {"dt": 0.5, "steps": STEPS, "loss": "mabuchi"}),
    "kl": (_NATURAL, {"dt": 0.5, "steps": STEPS, "loss": "kl"}),
    "sigma": (_REWEIGHTED, {"dt": 1.0, "steps": STEPS, "loss": {"name": "sigma-smooth", "width": 1e-4}}),
    "calabi": (_CURVED, {"dt": 0.5, "steps": STEPS, "loss": "calabi"}),
    "calabi-projected": (_CURVED, {"dt": 0.5, "steps": STEPS, "loss": "calabi-projected"}),
    "j": (_NATURAL, {"dt": 0.5, "steps": STEPS, "loss": "j"}),
    "j-omega": ({}, {"dt": 1.0, "steps": 150, "loss": "j-omega", "search": "lbfgs"}),
}
#: What begins half way to where Gauss-Newton ends: at g_FS it would stay, and J has no wall where a metric degenerates.
BACK = ("j-omega",)


@dataclass(frozen=True)
class Row:
    """One flow on one manifold: gains at its end on train and unseen points; how often its loss rose; its loss step by step.

    rises: while the loss is 5 % above its least; on few points the end of the Ricci flow is not quite that of its energy.
    broke: whether no step was left that keeps the metric positive.
    """

    case: str
    flow: str
    train_gain: float
    gain: float
    rises: int
    broke: bool
    losses: list[float]


@dataclass(frozen=True)
class Squares:
    """Squares of slopes in L^2 of the volume of g on one space, and the Calabi functional, at a share of the way to the end."""

    case: str
    share: float
    mabuchi: float
    j: float
    calabi: float


def run(comm: Comm, out: Path, size: int, say: Callable[[str], None], seed: int = 1) -> list[Row | Squares]:
    """Flow each functional on `size` points of every case, and draw out/functionals.png; collective."""
    rows, squares = [], []
    say(f"{'':>16}{'flow':>18}{'train gain':>12}{'unseen':>11}{'rises':>7}")
    for case in CASES:
        end = None
        for flow in FLOWS:
            found, made = _row(comm, case, flow, size, seed, end)
            end = made.flow.state.coefficients if end is None else end
            rows.append(found)
            say(_line(rows[-1]))
        squares += [_squares(made, case, end, share) for share in (0.0, 0.5)]
    say(f"{'':>16}{'way to the end':>18}{'|Mabuchi slope|^2':>19}{'|J slope|^2':>13}{'Calabi':>10}")
    for row in squares:
        say(f"{row.case:>16}{row.share:18g}{row.mabuchi:19.4g}{row.j:13.4g}{row.calabi:10.4g}")
    show(comm, say, out / "functionals.png", _draw, rows)
    return rows + squares


def claims(rows: list[Row | Squares]) -> list[Claim]:
    """What ends where Gauss-Newton does, and what does not; and in which sense Calabi's functional is a square."""
    found, squares = [], [row for row in rows if isinstance(row, Squares)]
    for row in squares:
        where = f"{row.case}, {'at g_FS' if row.share == 0 else 'half way to the end'}"
        what = f"{where}: square of J's slope over that of Mabuchi's"
        found.append(Claim(what, "Calabi is the square of J's: 1", row.j / row.mabuchi, 0.99, 1.01, _SQUARE))
        found.append(
            Claim(f"{where}: square of Mabuchi's slope over Calabi", "1", row.mabuchi / row.calabi, 0.8, 1.1, _PARTS)
        )
    for case in CASES:
        by = {row.flow: row for row in rows if row.case == case and row not in squares}
        best = by["gauss-newton"].gain
        what = f"{case}: gain after J of chi = omega_0, from half way to the end"
        found.append(Claim(what, "back to g_FS: 1", by["j-omega"].gain, 0.97, 1.03, _EDGE))
        for flow in ("mabuchi", "kaehler-ricci", "calabi-projected"):
            what = f"{case}: unseen gain of {flow} over Gauss-Newton's"
            because = _ROUNDED if flow == "calabi-projected" else ""
            found.append(Claim(what, "the same end: 1", by[flow].gain / best, 0.96, 1.04, because))
        what = f"{case}: unseen gain of Calabi's functional itself over Gauss-Newton's"
        found.append(Claim(what, "the same end: 1", by["calabi"].gain / best, 0.96, 1.04, _ROUGH))
        rises = float(by["kaehler-ricci"].rises)
        found.append(Claim(f"{case}: rises of Mabuchi's energy along Kaehler-Ricci", "0", rises, 0, 0))
        if case != "torus":
            what = f"{case}: unseen gain of J over Gauss-Newton's"
            found.append(Claim(what, "the same end: 1", by["j"].gain / best, 0.96, 1.04, _ALONE))
    return found


_ROUNDED = "its slope is made of differences, and with functions of high frequency it ends at their rounding"
_ROUGH = "on few functions R is not 0: its least square weighs rough functions more than sigma does"
_PARTS = "by parts, and on points: the slopes of functions of high frequency are noise, which falls with their number"
_SQUARE = "the square is that of Mabuchi's slope; J, its second term, has the same slope at g_FS alone"
_ALONE = "J is Mabuchi's second term, not its whole: it has no minimum there, and its flow leads away"
_EDGE = "J stays finite where the metric of one point degenerates, and its flow comes to that edge first"


def _row(comm: Comm, case: str, flow: str, size: int, seed: int, end: np.ndarray | None) -> tuple[Row, Flowing]:
    ambient, degree = CASES[case]
    kernel, keys = FLOWS[flow]
    table = {
        "run": {"seed": seed},
        "manifold": {"ambient": ambient},
        "points": {"train": size, "test": 2000, "chart": "all"},
        "kernel": {"name": "kaehler", "degree": degree} | kernel,
        "flow": keys,
    }
    made = Flowing.begun(comm, check(table, "functionals"))
    if flow in BACK:
        made.flow.take(made.flow.problem.at(end / 2))
    made.begin()
    broke = False
    try:
        made.finish()
    except NumericalError:
        broke = True
    losses = [float(loss) for loss in made.history.arrays()["loss"]]
    rows = made.table()
    least = min(losses)
    rises = sum(b > a > least + 0.05 * abs(least) for a, b in zip(losses[:-1], losses[1:], strict=True))
    return Row(case, flow, rows[0].gain, rows[1].gain, rises, broke, losses), made


def _squares(made: Flowing, case: str, end: np.ndarray, share: float) -> Squares:
    """Of a flow that knows values of features beside their second derivatives; collective."""
    problem = made.flow.problem
    state, slopes = problem.under(Mabuchi()).at(share * end), []
    for loss in (Mabuchi(), J()):
        slope = problem.under(loss).gradient(state)
        slopes.append(float(slope @ raised(problem, state, slope)))
    return Squares(case, share, *slopes, problem.under(Calabi()).at(state.coefficients).loss)


def _line(row: Row) -> str:
    more = "  no step was left" if row.broke else ""
    return f"{row.case:>16}{row.flow:>18}{row.train_gain:12.4g}{row.gain:11.4g}{row.rises:7}{more}"


def _draw(path: Path, rows: list[Row]) -> None:
    with picture(path, columns=2) as (left, right):
        width = 0.8 / len(FLOWS)
        for number, flow in enumerate(FLOWS):
            mine = [row for row in rows if row.flow == flow]
            left.bar(np.arange(len(mine)) + width * number, [row.gain for row in mine], width, label=flow)
        left.set_yscale("log")
        left.set_xticks(np.arange(len(CASES)) + 0.35, labels=list(CASES), fontsize="small")
        for case in CASES:
            losses = next(row.losses for row in rows if row.case == case and row.flow == "kaehler-ricci")
            right.semilogy(np.maximum(losses, 1e-16), "o-", ms=3, label=case)
        finished(left, ylabel="gain in sigma, unseen points", title="where each flow ends")
        left.set_ylim(0.03, 1e13)
        left.legend(frameon=False, fontsize="x-small", loc="upper right", ncols=2)
        finished(
            right, xlabel="step, each twice as long", ylabel="Mabuchi energy", title="along the Kaehler-Ricci flow"
        )
