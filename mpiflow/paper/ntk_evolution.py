"""Figure 4: how far the empirical metric-NTK of a network in training moves from where it began (HR 3.3)."""

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
from mpiflow.methods import network
from mpiflow.paper.claims import Claim
from mpiflow.paper.picture import finished, leave, picture

TITLE = "Figure 4: how far the NTK of a network in training moves (HR 3.3); needs the extra nn"
SIZES = {"laptop": 10_000, "node": 100_000, "cluster": 1_000_000}
EPOCHS, CHART = 50, (0, 1)
#: Points of either kind between which the NTK is taken.
FIXED = 10
#: Networks that were begun anew and never trained: how far chance alone goes.
FROZEN = 5
_NETWORK = {"kind": "multiplicative", "width": 128, "depth": 3, "activation": "gelu", "batch": 256}
_SHOWN = (1, 2, 5, 10, 20, 30, 40, 50)


@dataclass(frozen=True)
class Row:
    """Wasserstein distances to epoch 0, in units of the mean size of that spectrum; frozen: the untrained networks."""

    epoch: int
    frozen: bool
    sigma: float | None
    real: float
    singular: float
    gram: float


def run(comm: Comm, out: Path, size: int, say: Callable[[str], None], seed: int = 1) -> list[Row]:
    """Train on `size` points, measure the NTK after every epoch, and draw out/ntk-evolution.png; collective.

    The five frozen networks come first, then the epochs.
    """
    from mpiflow.network.empirical_ntk import SPECTRA, distances

    flow, spectra_of = _set_up(comm, size, seed)
    first = spectra_of(flow.progress.theta)
    shape = flow.rule.goal.architecture
    say(f"{shape.depth} x {shape.width}, {size} points of one chart; spectra of the metric-NTK, mean size at epoch 0:")
    for name, meaning in SPECTRA.items():
        say(f"  {name:9} {meaning}: {len(first[name])}, {np.abs(first[name]).mean():.4g}")
    say(
        f"{'epoch':>7}{'sigma':>9}" + "".join(f"{name:>11}" for name in SPECTRA) + "   Wasserstein distance / mean size"
    )
    rows = []
    for number in range(1, FROZEN + 1):
        theta = shape.initial(seed + number, silent=False)
        rows.append(Row(0, True, None, **distances(first, spectra_of(theta))))
        say(_line(rows[-1]))
    for epoch in range(1, EPOCHS + 1):
        record = flow.step()
        rows.append(Row(epoch, False, record.sigma_train, **distances(first, spectra_of(flow.progress.theta))))
        if epoch in _SHOWN:
            say(_line(rows[-1]))
    for name in SPECTRA:
        say(_verdict(rows, name))
    with comm.lead() as mine:
        if mine:
            leave(_draw, out / "ntk-evolution.png", rows, size)
    say(f"picture: {out / 'ntk-evolution.png'}")
    return rows


def significance(rows: list[Row], name: str) -> tuple[float, float, float]:
    """Distance after the last epoch, and mean and standard deviation of that of the frozen networks."""
    frozen = [getattr(row, name) for row in rows if row.frozen]
    return getattr(rows[-1], name), float(np.mean(frozen)), float(np.std(frozen, ddof=1))


def claims(rows: list[Row]) -> list[Claim]:
    """The paper's conclusion that the NTK of a finite network moves, in units of what chance does."""
    found = []
    for name, label in _LABELS.items():
        last, mean, spread = significance(rows, name)
        what = f"the NTK leaves its beginning: {label}, deviations above frozen networks"
        found.append(Claim(what, "rises", (last - mean) / spread, 3.0, 1e9))
    return found


def _set_up(comm: Comm, size: int, seed: int):
    """A training that begins at random, as cymetric's do, and the spectra of parameters at the fixed points."""
    from mpiflow.network import inputs
    from mpiflow.network.empirical_ntk import jacobian, spectra
    from mpiflow.network.flow import NetworkFlow, NetworkRule

    table = {
        "run": {"seed": seed, "precision": "float32"},
        "points": {"train": size, "chart": CHART},
        "network": _NETWORK,
        "flow": {"dt": 1e-3, "loss": "sigma", "steps": EPOCHS},
    }
    config = check(table, "ntk-evolution")
    made = Flowing.begun(comm, config)
    surface = made.surface
    goal = network.objective(config, surface)
    rule = NetworkRule(goal, config.flow.dt, config.network.batch, seed, precision="float32", silent=False)
    fixed = [inputs.component(surface, *_points(surface, stream, seed)) for stream in (sampling.TRAIN, sampling.TEST)]
    return NetworkFlow(surface, made.train, rule, CHART), lambda theta: spectra(
        *(jacobian(goal, theta, columns) for columns in fixed)
    )


def _points(surface: Domain, stream: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The first points of a stream, the same on every rank: z and chart."""
    points = sampling.sample(Comm(), surface, FIXED, seed, stream, CHART)[1]
    return points.z, points.chart


def _line(row: Row) -> str:
    numbers = "".join(f"{value:11.4g}" for value in (row.real, row.singular, row.gram))
    return f"{'frozen' if row.frozen else row.epoch:>7}" + (f"{row.sigma:9.4f}" if row.epoch else f"{'':9}") + numbers


def _verdict(rows: list[Row], name: str) -> str:
    last, mean, spread = significance(rows, name)
    away = (last - mean) / spread
    return f"{name:9} {last:.4g} after {EPOCHS} epochs; frozen {mean:.4g} +- {spread:.2g}: {away:.0f} deviations above"


def _draw(path: Path, rows: list[Row], size: int) -> None:
    from mpiflow.network.empirical_ntk import SPECTRA

    trained = [row for row in rows if not row.frozen]
    with picture(path) as axes:
        for colour, name in zip(("C0", "C1", "C2"), SPECTRA, strict=True):
            epochs, values = [row.epoch for row in trained], [getattr(row, name) for row in trained]
            axes.semilogy(epochs, values, color=colour, label=_LABELS[name])
            _, mean, spread = significance(rows, name)
            axes.axhspan(max(mean - spread, mean / 2), mean + spread, color=colour, alpha=0.2, lw=0)
            axes.axhline(mean, color=colour, lw=0.8, ls=":")
        finished(
            axes,
            xlabel="epoch",
            ylabel="Wasserstein distance to epoch 0 / mean size",
            title=f"metric-NTK, {size} points; bands: {FROZEN} frozen networks",
        )


_LABELS = {"real": "eigenvalues, real parts", "singular": "singular values", "gram": "Gram of train points"}
