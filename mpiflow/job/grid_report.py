"""The closing table, the curves and summary.json of a run on a grid: what its space measured at the first and the last look."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.table import Table

from mpiflow.job.report import keep, kept
from mpiflow.job.report import picture as picture
from mpiflow.screen.picture import draw as draw_png

#: Columns of a history that are no measures.
_COURSE = {"step", "time", "dt", "step_rejected", "test_step", "min_eigenvalue"}


@dataclass(frozen=True)
class Row:
    """One measure, at the first look and at the last."""

    measure: str
    first: float
    last: float


def rows(history: dict[str, np.ndarray]) -> list[Row]:
    """Of the columns of a history: the time, the least eigenvalue, and what else was measured."""
    names = ["time", "min_eigenvalue", *_measures(history)]
    return [Row(name, float(history[name][0]), float(history[name][-1])) for name in names]


def _measures(history: dict[str, np.ndarray]) -> list[str]:
    return sorted(history.keys() - _COURSE)


def rendered(found: list[Row], title: str) -> Table:
    """Rows as a table for the screen."""
    table = Table("measure", title=title, title_justify="left")
    table.add_column("at the start", justify="right")
    table.add_column("now", justify="right")
    for row in found:
        table.add_row(row.measure, f"{row.first:.6g}", f"{row.last:.6g}")
    return table


def write(folder: Path, step: int, found: list[Row], history: dict[str, np.ndarray]) -> tuple[Path, Path, str]:
    """summary.json and loss.png in the report folder; also why there is no picture, "" where there is one."""
    return keep(folder, step, [asdict(row) for row in found]), picture(folder), draw(folder, history)


def read(folder: Path) -> tuple[int, list[Row]] | None:
    """Step and rows of summary.json, or None where there is none of ours."""
    return kept(folder, lambda row: Row(**row), _is_ours)


def _is_ours(row: Row) -> bool:
    return isinstance(row.measure, str) and all(type(number) in (int, float) for number in (row.first, row.last))


def draw(folder: Path, history: dict[str, np.ndarray]) -> str:
    """Each measure against the time of the flow, as a PNG; returns why not, in one line, or ""."""
    return draw_png(picture(folder), (9, 6), lambda figure: _curves(figure, history))


def _curves(figure, history: dict[str, np.ndarray]) -> None:
    names = ["min_eigenvalue", *_measures(history)]
    panels = figure.subplots(-(-len(names) // 3), min(3, len(names)), squeeze=False).flat
    looks = np.searchsorted(history["step"], history["test_step"])
    for axes, name in zip(panels, names, strict=False):
        time = history["time"] if len(history[name]) == len(history["time"]) else history["time"][looks]
        axes.plot(time, history[name], color="C0")
        axes.set(xlabel="t", title=name.replace("_", " "))
        axes.grid(alpha=0.3, lw=0.5)
    for axes in list(panels):
        axes.axis("off")
