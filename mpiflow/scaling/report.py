"""The report of a study: table, picture, CSV, Extra-P text, and one HDF5 file of all measurements."""

from __future__ import annotations

import csv
from collections.abc import Callable
from math import isnan
from pathlib import Path

from rich.console import Group
from rich.table import Table

from mpiflow.scaling import measured, model, plot
from mpiflow.scaling.measured import STAGES, Measurement, Point
from mpiflow.state import study


def report(folders: list[Path], where: Path) -> tuple[Group, list[Path]]:
    """Measure run folders, and write what they say into `where`. Returns the tables and the files."""
    measurements = measured.found(folders)
    points = measured.points(measurements)
    prediction = model.predicted(points)
    efficiencies = [measured.efficiency(point, points[0]) for point in points]
    where.mkdir(parents=True, exist_ok=True)
    files = {
        "study.h5": lambda path: study.write(path, *_columns(measurements)),
        "scaling.csv": lambda path: _csv(path, points, efficiencies, prediction),
        "extra-p.txt": lambda path: _extra_p(path, measurements),
        "scaling.png": lambda path: plot.draw(path, points, efficiencies, prediction),
    }
    for name, write in files.items():
        write(where / name)
    return _tables(points, efficiencies, prediction), [where / name for name in files]


def _tables(points: list[Point], efficiencies: list[float], prediction: model.Prediction) -> Group:
    table = Table(title="seconds a step of the flow", title_justify="left")
    stages = Table(title="seconds of each stage in all: medians, slowest rank", title_justify="left")
    for name in ("ranks", "runs", "median", "least..largest", "efficiency", "model's"):
        table.add_column(name, justify="right")
    for name in ("ranks", *STAGES):
        stages.add_column(name, justify="right")
    for point, value, expected in zip(points, efficiencies, prediction.efficiency, strict=True):
        shown = ("oversubscribed", "") if point.oversubscribed else (f"{value:.3f}", f"{expected:.3f}")
        spread = f"{point.least:.3g}..{point.largest:.3g}"
        table.add_row(str(point.ranks), str(point.repeats), f"{point.step:.4g}", spread, *shown)
        stages.add_row(str(point.ranks), *("" if isnan(t := point.stages[name]) else f"{t:.3g}" for name in STAGES))
    what = "the first run on each of so many GPUs" if prediction.weak else "this run on GPUs"
    gpus = Table(title=f"{what}, by the model ({model.GPU.origin})", title_justify="left")
    for number in prediction.gpus:
        gpus.add_column(str(number), justify="right")
    gpus.add_row(*(f"{value:.3f}" for value in prediction.gpus.values()))
    error = (
        f"the model is off by up to {100 * prediction.error:.0f} % on the points measured here ({prediction.origin})"
    )
    return Group(table, stages, gpus, error)


def _columns(measurements: list[Measurement]) -> tuple[list[str], dict[str, list[int]], list[str], list[list[float]]]:
    """Folder names, whole numbers and seconds of every measurement."""
    numbers = {
        "ranks": [m.ranks for m in measurements],
        "cores": [m.cores for m in measurements],
        "steps": [m.steps for m in measurements],
        "train": [m.settings.points.train for m in measurements],
        "oversubscribed": [int(m.oversubscribed) for m in measurements],
    }
    seconds = [list(m.seconds.values()) for m in measurements]
    return [str(m.folder) for m in measurements], numbers, list(STAGES), seconds


def _csv(path: Path, points: list[Point], efficiencies: list[float], prediction: model.Prediction) -> None:
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(
            ["ranks", "repeats", "oversubscribed", "step_s", "least_s", "largest_s", "efficiency", "model", *STAGES]
        )
        for p, value, expected in zip(points, efficiencies, prediction.efficiency, strict=True):
            row = [p.ranks, p.repeats, int(p.oversubscribed), p.step, p.least, p.largest, value, expected]
            out.writerow([*row, *p.stages.values()])


def _extra_p(path: Path, measurements: list[Measurement]) -> None:
    """Extra-P's text format: one line of repeats for each point, in the order of POINTS."""
    kept = [m for m in measurements if not m.oversubscribed]
    ranks = sorted({m.ranks for m in kept})
    lines = ["PARAMETER p", f"POINTS {' '.join(map(str, ranks))}", "METRIC time"]
    pick: dict[str, Callable[[Measurement], float]] = {"step": lambda m: m.step}
    pick |= {name: lambda m, name=name: m.seconds[name] for name in STAGES}
    for region, value in pick.items():
        rows = [[value(m) for m in kept if m.ranks == r and not isnan(value(m))] for r in ranks]
        if all(rows):
            lines += [f"REGION {region}", *(f"DATA {' '.join(f'{x:.6g}' for x in row)}" for row in rows)]
    path.write_text("\n".join(lines) + "\n")
