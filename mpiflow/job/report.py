"""The closing table, the loss curve and summary.json of a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from mpiflow.files import put, take
from mpiflow.files.claims import inner
from mpiflow.job.compare import Difference
from mpiflow.job.evaluate import Row, plain
from mpiflow.measures import Curvature, Volume
from mpiflow.screen.picture import draw as draw_png

DISCONTINUOUS = "n/a (discontinuous)"
#: Where rounding is all there is: of sigma and eta; of the Kaehler defect, whose differences are good to 1e-9 (theory 3).
_ROUNDING, _DIFFERENCES = 1e-14, 1e-8


def rendered(rows: list[Row], title: str, defects: bool = True) -> Table:
    """Rows of an evaluation as a table for the screen; defects: whether Kaehler defects were measured."""
    table = Table(title=title, title_justify="left")
    table.add_column("metric")
    table.add_column("points")
    names = ("sigma", "gain", "max |eta-1|", "positive", "least eigenvalue", "Kaehler defect")
    for name in names if defects else names[:-1]:
        table.add_column(name, justify="right")
    for row in rows:
        defect = DISCONTINUOUS if row.defect is None else _digits(row.defect, ".2e", _DIFFERENCES)
        numbers = (_digits(row.sigma, ".4g", _ROUNDING), _gain(row), _digits(row.eta_deviation, ".3g", _ROUNDING))
        table.add_row(
            row.metric,
            f"{row.count} {row.points}",
            *numbers,
            f"{100 * row.positive:.1f} %",
            f"{row.min_eigenvalue:.3g}",
            *((defect,) if defects else ()),
        )
    return table


def _gain(row: Row) -> str:
    """The gain; of a sigma that is rounding alone, what it exceeds."""
    if 0 < row.sigma < _ROUNDING:
        return f"> {row.gain * row.sigma / _ROUNDING:.0e}"
    return f"{row.gain:.4g}"


def _digits(value: float, digits: str, noise: float) -> str:
    """A number with its digits; of one that is rounding noise, none. NaN is none of both, and stays."""
    return f"< {noise:.0e}" if value < noise else f"{value:{digits}}"


def curvature_lines(found: Curvature) -> list[str]:
    """The Ricci measure and the Euler number in words."""
    lines = [
        f"Ricci measure {found.ricci:.4g} on {found.count} fresh points of all charts (K = log|z|^2 / pi, as cymetric)"
    ]
    if found.euler is None:
        lines.append("Euler number n/a: it takes at least two lines of points, and up to three dimensions")
    else:
        lines.append(f"Euler number {found.euler:.2f} +- {found.error:.2f} by Chern-Gauss-Bonnet")
    return lines


def volume_line(found: Volume) -> str:
    """The volume in words."""
    return (
        f"Volume {found.found:.6g} +- {found.error:.2g} of the run's Kaehler class on {found.count} fresh points; "
        f"intersection numbers say {found.exact:.6g}"
    )


def difference_line(found: Difference, seed: int) -> str:
    """How far apart two metrics are, in words."""
    mean, largest = (_digits(value, ".3g", _ROUNDING) for value in (found.mean, found.largest))
    at = f"{found.count} fresh points of seed {seed}"
    why = "" if np.isfinite(found.largest) else "; their mean is not positive definite everywhere"
    return f"relative difference of squared lengths: mean {mean}, largest {largest}, {at}{why}"


def write(folder: Path, step: int, rows: list[Row], history: dict[str, np.ndarray]) -> tuple[Path, Path, str]:
    """summary.json and loss.png in the report folder of a run; each replaces its former self whole.

    Also returns, in one line, why there is no picture, "" where there is one.
    """
    return keep(folder, step, [plain(row) for row in rows]), picture(folder), draw(folder, history)


def keep(folder: Path, step: int, rows: list[dict]) -> Path:
    """Write summary.json of the report folder."""
    summary = inner(folder, "report") / "summary.json"
    put(summary, json.dumps({"step": step, "evaluation": rows}, indent=1, allow_nan=False) + "\n")
    return summary


def kept(folder: Path, made: Callable[[dict], Any], is_ours: Callable[[Any], bool]) -> tuple[int, list] | None:
    """Step and rows of summary.json, as they are made of its own; None where there is none, or one of others."""
    try:
        summary = json.loads(take(folder / "report" / "summary.json"))
        found = [made(row) for row in summary["evaluation"]]
        return (summary["step"], found) if all(map(is_ours, found)) else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def picture(folder: Path) -> Path:
    """Where the loss curve of a run lies."""
    return folder / "report" / "loss.png"


def draw(folder: Path, history: dict[str, np.ndarray]) -> str:
    """sigma of train and unseen points against the step, as a PNG; returns why not, in one line, or ""."""
    return draw_png(picture(folder), (6, 4), lambda figure: _curves(figure, history))


def read(folder: Path) -> tuple[int, list[Row]] | None:
    """Step and rows of summary.json, or None where there is none."""
    return kept(folder, lambda row: Row(**row | ({"gain": float("inf")} if row["gain"] is None else {})), _is_ours)


def _is_ours(row: Row) -> bool:
    """Whether these are the values that `write` writes."""
    numbers = [row.sigma, row.gain, row.eta_deviation, row.positive, row.min_eigenvalue]
    numbers += [] if row.defect is None else [row.defect]
    words = isinstance(row.metric, str) and isinstance(row.points, str) and type(row.count) is int
    return words and all(type(number) in (int, float) for number in numbers)


def _curves(figure, history: dict[str, np.ndarray]) -> None:
    axes = figure.subplots()
    axes.semilogy(history["step"], history["sigma_train"], color="C0", label="train points")
    axes.semilogy(history["test_step"], history["sigma_test"], color="C1", label="unseen points")
    axes.axhline(history["sigma_train"][0], color="grey", lw=0.8, ls=":", label="Fubini-Study (train)")
    axes.set(xlabel="step", ylabel="sigma measure (dimensionless)")
    axes.grid(alpha=0.3, which="both", lw=0.5)
    axes.legend(frameon=False)
