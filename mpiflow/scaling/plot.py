"""The picture of a study: time of a step against ranks, and efficiency, measured and by the model."""

from __future__ import annotations

from pathlib import Path

from mpiflow.scaling.measured import Point
from mpiflow.scaling.model import Prediction
from mpiflow.screen.picture import draw as draw_png


def draw(path: Path, points: list[Point], efficiencies: list[float], prediction: Prediction) -> str:
    """A PNG; oversubscribed points are hollow and have no efficiency. Returns why not, in one line, or ""."""
    return draw_png(path, (10, 4), lambda figure: _panels(figure, points, efficiencies, prediction))


def _panels(figure, points: list[Point], efficiencies: list[float], prediction: Prediction) -> None:
    from matplotlib.ticker import NullLocator

    left, right = figure.subplots(1, 2)
    for oversubscribed, style in ((False, {}), (True, {"mfc": "white"})):
        some = [p for p in points if p.oversubscribed == oversubscribed]
        if some:
            ranks, steps = [p.ranks for p in some], [p.step for p in some]
            bars = [[p.step - p.least for p in some], [p.largest - p.step for p in some]]
            label = "oversubscribed" if oversubscribed else "measured: median, least, largest"
            left.errorbar(ranks, steps, bars, fmt="o", color="C0", capsize=3, label=label, **style)
    first = points[0]
    ideal = [first.step * first.ranks / p.ranks * p.entries / first.entries for p in points]
    left.plot([p.ranks for p in points], ideal, "k:", lw=1, label="ideal")
    left.set(xlabel="ranks", ylabel="seconds a step", xscale="log", yscale="log")
    left.set_xticks([p.ranks for p in points], [str(p.ranks) for p in points], minor=False)
    left.xaxis.set_minor_locator(NullLocator())
    right.plot([p.ranks for p in points], efficiencies, "o", color="C0", label="measured (ranks)")
    right.plot([p.ranks for p in points], prediction.efficiency, "x", color="C1", label="model (ranks)")
    right.plot(*zip(*prediction.gpus.items(), strict=True), "-", color="C2", lw=1, label="model (GPUs)")
    right.axhline(1, color="k", lw=0.8, ls=":")
    right.set(xlabel="ranks or GPUs", ylabel="parallel efficiency of the flow", xscale="log", ylim=(0, 1.15))
    right.set_title(f"model error {100 * prediction.error:.0f} % on the measured points", fontsize=9)
    for axes in (left, right):
        axes.grid(alpha=0.3, lw=0.5)
        axes.legend(frameon=False, fontsize=8)
