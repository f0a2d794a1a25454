"""Figure 4: how far the metric-NTK of a network in training moves from where it began (HR 3.3), and that of a potential.

The potential is inside the logarithm: C is frozen at g_FS, and the kernel of g moves with g by the chain rule.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mpiflow import sampling
from mpiflow.comm import Comm
from mpiflow.config import check
from mpiflow.geometry.domain import Domain
from mpiflow.job.flowing import Flowing
from mpiflow.measures import sigma
from mpiflow.paper.claims import Claim
from mpiflow.paper.picture import PAPER, finished, picture, show

TITLE = "Figure 4: how far the NTK of a network in training moves, and that of a potential (HR 3.3); needs the extra nn"
SIZES = {"laptop": 10_000, "node": 100_000, "cluster": 1_000_000}
EPOCHS, CHART = 50, (0, 1)
#: Points of either kind between which the NTK is taken.
FIXED = 10
#: Networks that were begun anew and never trained, and other sets of points: how far chance alone goes.
FROZEN = 5
_NETWORK = {"kind": "multiplicative", "width": 128, "depth": 3, "activation": "gelu", "batch": 256, "silent": False}
_SHOWN = (1, 2, 5, 10, 20, 30, 40, 50)
#: Degrees of the potentials, phi = log(1 + F) / k, invariant functions, C frozen at g_FS.
DEGREES = (4, 8, 12)
#: Gains of which it is told how far the kernel has moved by then.
_GAINS = (10, 100, 1000)
_NETWORK_NAME = "network"


@dataclass(frozen=True)
class Row:
    """Wasserstein distances to epoch 0, in units of the mean size of that spectrum. gain: on train points.

    chance: "" for an epoch; "networks" for one that was begun anew and never trained, "points" for the beginning at other
    points.
    """

    model: str
    epoch: int
    chance: str
    gain: float | None
    real: float
    singular: float
    gram: float


def run(comm: Comm, out: Path, size: int, say: Callable[[str], None], seed: int = 1) -> list[Row]:
    """Train on `size` points, measure the NTK after every epoch, and draw out/ntk-evolution.png; collective.

    A network first, then potentials inside the logarithm on the same points; of each what chance does, then the epochs.
    """
    from mpiflow.network.empirical_ntk import SPECTRA

    say(f"spectra of the metric-NTK between {FIXED} train and {FIXED} unseen points; {size} train points of one chart:")
    for name, meaning in SPECTRA.items():
        say(f"  {name:9} {meaning}")
    say(f"{'':16}{'epoch':>7}{'gain':>10}" + "".join(f"{name:>11}" for name in SPECTRA) + "   distance / mean size")
    rows = _followed(_NETWORK_NAME, *_trained(comm, size, seed), say)
    for degree in DEGREES:
        rows += _followed(_named(degree), *_potential(comm, size, seed, degree), say)
    for model in dict.fromkeys(row.model for row in rows):
        for name in SPECTRA:
            say(_verdict(rows, model, name))
        for line in _by_gain(rows, model):
            say(line)
    show(comm, say, out / "ntk-evolution.png", _draw, rows, size)
    return rows


def _followed(model: str, chances: dict, step, say) -> list[Row]:
    """The rows of one model. chances: kind to spectra, of which "" has that of the beginning; step() to gain and spectra."""
    from mpiflow.network.empirical_ntk import distances

    (first,), rows = chances.pop(""), []

    def told(row: Row) -> None:
        rows.append(row)
        if row.chance or row.epoch in _SHOWN:
            say(_line(row))

    for chance, found in chances.items():
        for other in found:
            told(Row(model, 0, chance, None, **distances(first, other)))
    for epoch in range(1, EPOCHS + 1):
        gain, later = step()
        told(Row(model, epoch, "", gain, **distances(first, later)))
    return rows


def significance(rows: list[Row], model: str, name: str, chance: str) -> tuple[float, float, float]:
    """Distance of a model after its last epoch, and mean and standard deviation of that of one kind of chance."""
    found = [getattr(row, name) for row in rows if (row.model, row.chance) == (model, chance)]
    last = [getattr(row, name) for row in rows if (row.model, row.chance) == (model, "")][-1]
    return last, float(np.mean(found)), float(np.std(found, ddof=1))


def claims(rows: list[Row]) -> list[Claim]:
    """The paper's conclusion that the NTK of a finite network moves, in units of what chance does."""
    found = []
    for name, label in _LABELS.items():
        last, mean, spread = significance(rows, _NETWORK_NAME, name, "networks")
        what = f"the NTK leaves its beginning: {label}, deviations above frozen networks"
        found.append(Claim(what, "rises", (last - mean) / spread, 3.0, 1e9))
    return found


def _named(degree: int) -> str:
    return f"log, k = {degree}"


def _potential(comm: Comm, size: int, seed: int, degree: int, potential: str = "log"):
    """As of `_trained`, of a potential that begins at g_FS: C frozen there, 50 Euler steps."""
    from mpiflow.network.empirical_ntk import spectra
    from mpiflow.paper.potential_ntk import PotentialNtk

    table = {
        "run": {"seed": seed},
        "points": {"train": size, "chart": CHART},
        "kernel": {"name": "kaehler", "degree": degree, "potential": potential},
        "flow": {"dt": 0.3, "steps": EPOCHS},
    }
    made = Flowing.begun(comm, check(table, "ntk-evolution"))
    flow, ntk = made.flow, PotentialNtk(made.flow)
    beginning, others = flow.state.sigma, range(seed + 1, seed + FROZEN + 1)
    frames = {own: [made.surface.frame(*each) for each in _fixed(made.surface, own)] for own in (seed, *others)}

    def at(own: int) -> dict[str, np.ndarray]:
        return spectra(*map(ntk.at, frames[own]))

    def step() -> tuple[float, dict[str, np.ndarray]]:
        return beginning / flow.step().sigma_train, at(seed)

    return {"": [at(seed)], "points": [at(other) for other in others]}, step


def _trained(comm: Comm, size: int, seed: int):
    """A training that begins at random, as cymetric's do: what `_followed` wants of it."""
    from mpiflow.network import inputs
    from mpiflow.network.empirical_ntk import jacobian, spectra

    table = {
        "run": {"seed": seed, "precision": "float32"},
        "points": {"train": size, "chart": CHART},
        "network": _NETWORK,
        "flow": {"dt": 1e-3, "loss": "sigma", "steps": EPOCHS},
    }
    made = Flowing.begun(comm, check(table, "ntk-evolution"))
    surface, points, flow = made.surface, made.train, made.flow
    goal, reference = flow.rule.goal, sigma(points.layout, points.points, points.reference(surface))

    others = range(seed + 1, seed + FROZEN + 1)
    fixed = {own: [inputs.component(surface, *each) for each in _fixed(surface, own)] for own in (seed, *others)}

    def at(theta: np.ndarray, own: int = seed) -> dict[str, np.ndarray]:
        return spectra(*(jacobian(goal, theta, columns) for columns in fixed[own]))

    def step() -> tuple[float, dict[str, np.ndarray]]:
        return reference / flow.step().sigma_train, at(flow.progress.theta)

    theta = flow.progress.theta
    begun = [at(goal.architecture.initial(other, silent=False)) for other in others]
    return {"": [at(theta)], "networks": begun, "points": [at(theta, other) for other in others]}, step


def _fixed(surface: Domain, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """The first points of both streams, the same on every rank: z and chart of each."""
    drawn = (
        sampling.sample(Comm(), surface, FIXED, seed, stream, CHART)[1] for stream in (sampling.TRAIN, sampling.TEST)
    )
    return [(points.z, points.chart) for points in drawn]


def _line(row: Row) -> str:
    numbers = "".join(f"{value:11.4g}" for value in (row.real, row.singular, row.gram))
    what = f"{'other ' + row.chance:>17}" if row.chance else f"{row.epoch:7d}{row.gain:10.4g}"
    return f"{row.model:16}{what}{numbers}"


def _verdict(rows: list[Row], model: str, name: str) -> str:
    chances = dict.fromkeys(row.chance for row in rows if row.model == model and row.chance)
    parts = []
    for chance in chances:
        last, mean, spread = significance(rows, model, name, chance)
        parts.append(f"other {chance} {mean:.3g} +- {spread:.2g}: {(last - mean) / spread:.0f} deviations above")
    return f"{model}: {name} {last:.4g} after {EPOCHS} epochs; {'; '.join(parts)}"


def _by_gain(rows: list[Row], model: str) -> list[str]:
    """How far the kernel had moved when a gain was reached, over the mean of what other points do."""
    lines = []
    for wanted in _GAINS:
        there = next((row for row in rows if row.model == model and not row.chance and row.gain >= wanted), None)
        if there is not None:
            moved = ", ".join(f"{name} {_moved(rows, there, name):.3g}" for name in _LABELS)
            lines.append(
                f"{model}: gain {wanted} after {there.epoch} epochs, distance over that of other points: {moved}"
            )
    return lines


def _moved(rows: list[Row], row: Row, name: str) -> float:
    return getattr(row, name) / significance(rows, row.model, name, "points")[1]


def _draw(path: Path, rows: list[Row], size: int) -> None:
    trained = [row for row in rows if row.model == _NETWORK_NAME and not row.chance]
    with picture(path, columns=2) as (left, right):
        for colour, name in zip(("C0", "C1", "C2"), _LABELS, strict=True):
            epochs, values = [row.epoch for row in trained], [getattr(row, name) for row in trained]
            left.semilogy(epochs, values, color=colour, label=_LABELS[name])
            _, mean, spread = significance(rows, _NETWORK_NAME, name, "networks")
            left.axhspan(max(mean - spread, mean / 2), mean + spread, color=colour, alpha=0.2, lw=0)
            left.axhline(mean, color=colour, lw=0.8, ls=":")
        for colour, model in zip(("C3", "C4", "C5", "C0"), dict.fromkeys(row.model for row in rows), strict=False):
            here = [row for row in rows if row.model == model and not row.chance]
            for name, style in (("gram", "-"), ("real", ":")):
                label = f"{model}: {_LABELS[name]}" if name == "gram" else None
                moved = [_moved(rows, row, name) for row in here]
                right.loglog([row.gain for row in here], moved, style, color=colour, label=label)
        right.plot([], [], ":", color="0.3", label=_LABELS["real"])
        right.axhline(1, label="the kernel of the start at other points", **PAPER)
        finished(
            left,
            xlabel="epoch",
            ylabel="Wasserstein distance to epoch 0 / mean size",
            title=f"network, {size} points; bands: {FROZEN} frozen networks",
        )
        finished(
            right,
            xlabel="gain so far, train points",
            ylabel="Wasserstein distance / that of other points",
            title="how far a kernel moves for a gain",
        )


_LABELS = {"real": "eigenvalues, real parts", "singular": "singular values", "gram": "Gram of train points"}
