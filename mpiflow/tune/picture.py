"""The picture of a study: the objective trial by trial, and against each key."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from mpiflow.screen.picture import draw as draw_png
from mpiflow.tune.space import Choice, Range

_LABEL = {"gain": "gain on unseen points", "sigma": "sigma on unseen points"}


def draw(path: Path, places: dict[int, FrozenTrial], searched: list[Range | Choice], objective: str) -> str:
    """A PNG with one panel for the history and one for each key; trials given up are hollow, at their last look.

    Returns why not, in one line, or "".
    """
    columns = min(3, 1 + len(searched))
    rows = -(-(1 + len(searched)) // columns)

    def panels(figure) -> None:
        _panels(figure.subplots(rows, columns, squeeze=False), places, searched, objective)

    return draw_png(path, (4 * columns, 3.2 * rows), panels)


def _panels(grid, places: dict[int, FrozenTrial], searched: list[Range | Choice], objective: str) -> None:
    history, *slices = grid.flat
    _history(history, places, objective)
    for axes, dimension in zip(slices, searched, strict=False):
        _slice(axes, places, dimension)
    for axes in slices[len(searched) :]:
        axes.set_visible(False)
    for axes in (history, *slices[: len(searched)]):
        axes.set_ylabel(_LABEL[objective])
        axes.grid(alpha=0.3, lw=0.5)


def _points(places: dict[int, FrozenTrial], state: TrialState) -> dict[int, FrozenTrial]:
    return {place: t for place, t in places.items() if t.state == state and t.value is not None}


def _history(axes, places: dict[int, FrozenTrial], objective: str) -> None:
    complete, pruned = (_points(places, state) for state in (TrialState.COMPLETE, TrialState.PRUNED))
    numbers = [place + 1 for place in complete]
    values = [trial.value for trial in complete.values()]
    axes.plot(numbers, values, "o", ms=4, color="C0", label="complete")
    if pruned:
        lasts = [trial.value for trial in pruned.values()]
        axes.plot([place + 1 for place in pruned], lasts, "o", ms=4, mfc="none", color="C0", label="given up")
    best = (np.maximum if objective == "gain" else np.minimum).accumulate(values)
    axes.step(numbers, best, where="post", color="C1", lw=1.2, label="best so far")
    axes.set_xlabel("trial")
    axes.legend(frameon=False, fontsize=8)


def _slice(axes, places: dict[int, FrozenTrial], dimension: Range | Choice) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter

    for state, face in ((TrialState.PRUNED, "none"), (TrialState.COMPLETE, None)):
        found = _points(places, state)
        x = [trial.params[dimension.key] for trial in found.values()]
        if isinstance(dimension, Choice):
            x = [dimension.values.index(value) for value in x]
        # The later a trial, the darker.
        shade = _shades([place for place in found], len(places))
        axes.scatter(x, [t.value for t in found.values()], s=16, facecolors=face or shade, edgecolors=shade)
    if isinstance(dimension, Choice):
        axes.set_xticks(range(len(dimension.values)), [str(value) for value in dimension.values])
        axes.set_xlim(-0.5, len(dimension.values) - 0.5)
    elif isinstance(dimension.low, float) and dimension.low > 0:
        axes.set_xscale("log")
        # Ranges of less than a decade need ticks within it, as plain numbers that do not run into each other.
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if dimension.high < 30 * dimension.low else (1,)))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(dimension.key)


def _shades(numbers: list[int], total: int) -> list[tuple[float, float, float, float]]:
    """Blues from light to dark."""
    import matplotlib

    blues = matplotlib.colormaps["Blues"]
    return [blues(0.3 + 0.7 * number / max(1, total - 1)) for number in numbers]
