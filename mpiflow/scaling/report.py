"""The report of a study: table, picture, CSV, Extra-P text, and one HDF5 file of all measurements."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from math import isnan
from pathlib import Path

from rich.console import Group
from rich.table import Table

from mpiflow.files import put
from mpiflow.files.claims import output_folder
from mpiflow.scaling import measured, model, plot
from mpiflow.scaling.measured import STAGES, Measurement, Point
from mpiflow.state import study
from mpiflow.state.study import STUDY

#: What a report leaves in its folder; the first of them says whose it is.
NAMES = (STUDY, "scaling.csv", "extra-p.txt", "scaling.png")


def claim(where: Path, force: bool) -> None:
    """Raise InputError, unless `force`, where a report would replace what no earlier one made."""
    output_folder(where, NAMES, study.ours, force=force)


def report(folders: list[Path], where: Path) -> tuple[Group, list[str]]:
    """Measure run folders, and write what they say into `where`. Returns the tables and a line for each file."""
    measurements = measured.found(folders)
    points = measured.points(measurements)
    prediction = model.predicted(points)
    efficiencies = [measured.efficiency(point, points[0]) for point in points]
    where.mkdir(parents=True, exist_ok=True)
    study.write(where / STUDY, *_columns(measurements))
    put(where / "scaling.csv", _csv(points, efficiencies, prediction))
    put(where / "extra-p.txt", _extra_p(measurements))
    missing = plot.draw(where / "scaling.png", points, efficiencies, prediction)
    files = [str(where / name) for name in NAMES]
    return _tables(points, efficiencies, prediction), files[:-1] + [missing or files[-1]]


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


def _csv(points: list[Point], efficiencies: list[float], prediction: model.Prediction) -> str:
    text = io.StringIO(newline="")
    out = csv.writer(text)
    out.writerow(
        ["ranks", "repeats", "oversubscribed", "step_s", "least_s", "largest_s", "efficiency", "model", *STAGES]
    )
    for p, value, expected in zip(points, efficiencies, prediction.efficiency, strict=True):
        row = [p.ranks, p.repeats, int(p.oversubscribed), p.step, p.least, p.largest, value, expected]
        out.writerow([*row, *p.stages.values()])
    return text.getvalue()


def _extra_p(measurements: list[Measurement]) -> str:
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
    return "\n".join(lines) + "\n"
