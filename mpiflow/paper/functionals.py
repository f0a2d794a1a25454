"""Where the functionals of app. B end on one space of potentials, and what HR say of them (HR app. B)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mpiflow.comm import Comm
from mpiflow.config import check
from mpiflow.errors import NumericalError
from mpiflow.job.flowing import Flowing
from mpiflow.paper.claims import Claim
from mpiflow.paper.picture import finished, leave, picture

TITLE = "the functionals of app. B: where Mabuchi, KL, sigma and J end, and Kaehler-Ricci"
SIZES = {"laptop": 2000, "node": 10_000, "cluster": 100_000}
#: n of P^n and degree of the features. Steps, with C anew in each.
CASES, STEPS = {"torus": (2, 12), "K3": (3, 8), "quintic": (4, 8), "quintic, k = 12": (4, 12)}, 40
_NATURAL = {"refreeze": 1}
_REWEIGHTED = {"preconditioner": "reweighted", "refreeze": 1}
_RICCI = {"preconditioner": {"name": "family", "implicit": True, "growth": 2.0}}
#: What is flowed: the keys of its kernel and of its flow.
FLOWS = {
    "gauss-newton": ({}, {"dt": 1.0, "steps": 8, "search": "gauss-newton"}),
    "kaehler-ricci": (_RICCI, {"dt": 0.01, "steps": 22, "loss": "mabuchi"}),
    "mabuchi": (_NATURAL, {"dt": 0.5, "steps": STEPS, "loss": "mabuchi"}),
    "kl": (_NATURAL, {"dt": 0.5, "steps": STEPS, "loss": "kl"}),
    "sigma": (_REWEIGHTED, {"dt": 1.0, "steps": STEPS, "loss": {"name": "sigma-smooth", "width": 1e-4}}),
    "j": (_NATURAL, {"dt": 0.5, "steps": STEPS, "loss": "j"}),
}


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


def run(comm: Comm, out: Path, size: int, say: Callable[[str], None], seed: int = 1) -> list[Row]:
    """Flow each functional on `size` points of every case, and draw out/functionals.png; collective."""
    rows = []
    say(f"{'':>16}{'flow':>15}{'train gain':>12}{'unseen':>11}{'rises':>7}")
    for case in CASES:
        for flow in FLOWS:
            rows.append(_row(comm, case, flow, size, seed))
            say(_line(rows[-1]))
    with comm.lead() as mine:
        if mine:
            leave(_draw, out / "functionals.png", rows)
    say(f"picture: {out / 'functionals.png'}")
    return rows


def claims(rows: list[Row]) -> list[Claim]:
    """What ends where Gauss-Newton does, and what does not."""
    found = []
    for case in CASES:
        by = {row.flow: row for row in rows if row.case == case}
        best = by["gauss-newton"].gain
        for flow in ("mabuchi", "kaehler-ricci"):
            what = f"{case}: unseen gain of {flow} over Gauss-Newton's"
            found.append(Claim(what, "the same end: 1", by[flow].gain / best, 0.96, 1.04))
        rises = float(by["kaehler-ricci"].rises)
        found.append(Claim(f"{case}: rises of Mabuchi's energy along Kaehler-Ricci", "0", rises, 0, 0))
        if case != "torus":
            what = f"{case}: unseen gain of J over Gauss-Newton's"
            found.append(Claim(what, "the same end: 1", by["j"].gain / best, 0.96, 1.04, _ALONE))
    return found


_ALONE = "J is Mabuchi's second term, not its whole: it has no minimum there, and its flow ends where positivity does"


def _row(comm: Comm, case: str, flow: str, size: int, seed: int) -> Row:
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
    return Row(case, flow, rows[0].gain, rows[1].gain, rises, broke, losses)


def _line(row: Row) -> str:
    more = "  no step was left" if row.broke else ""
    return f"{row.case:>16}{row.flow:>15}{row.train_gain:12.4g}{row.gain:11.4g}{row.rises:7}{more}"


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
        finished(
            right, xlabel="step, each twice as long", ylabel="Mabuchi energy", title="along the Kaehler-Ricci flow"
        )
