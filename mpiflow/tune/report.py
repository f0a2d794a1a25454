"""What a study came to: table of the best, CSV of all, picture, and the best run file."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path
from typing import Any

import tomli_w
from optuna.trial import FrozenTrial, TrialState
from rich.table import Table

from mpiflow.config import Config
from mpiflow.doors import own
from mpiflow.files import put
from mpiflow.files.claims import near
from mpiflow.tune import journal, picture
from mpiflow.tune.places import latest
from mpiflow.tune.space import Choice, Range
from mpiflow.tune.variant import variant

#: Rows of the table.
BEST = 10
#: What a study leaves beside its journal.
NAMES = ("trials.csv", "study.png", "best.toml")
_MEASURED = ("gain", "gain_train", "sigma", "positive", "defect", "seconds")


def write(
    where: Path,
    settings: Config,
    searched: list[Range | Choice],
    trials: list[FrozenTrial],
    project: Path | None = None,
) -> tuple[Table, list[str]]:
    """The table, and a line for each file that was written or could not be; each replaces its former self whole.

    project: the folder of the run file, which may be moved as a whole: what lies in it the best run file names from where it
    lies itself.
    """
    places, keys = latest(trials), [dimension.key for dimension in searched]
    ranked = best_first(list(places.values()), settings.tune.objective)
    csv_path, png, best = (where / name for name in NAMES)
    put(csv_path, _csv(places, keys))
    lines = [f"trials   {near(csv_path)}"]
    if ranked:
        put(best, _best(settings, ranked[0], len(ranked), project and (where, project)))
        lines += [
            picture.draw(png, places, searched, settings.tune.objective) or f"picture  {near(png)}",
            f"best     {near(best)}",
        ]
    return _table(settings, ranked, places, keys), lines


def best_first(trials: list[FrozenTrial], objective: str) -> list[FrozenTrial]:
    """The complete trials, the best first."""
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    return sorted(complete, key=lambda trial: -trial.value if objective == "gain" else trial.value)


def finalists(where: Path, objective: str, count: int) -> list[dict[str, Any]]:
    """The values of the best complete trials of a study's folder, the best first; how noisy they are, it does not say."""
    ranked = best_first(list(latest(journal.trials(where)).values()), objective)
    return [trial.params for trial in ranked[:count]]


def _best(settings: Config, trial: FrozenTrial, count: int, places: tuple[Path, Path] | None) -> str:
    tuned = variant(settings, trial.params | {"run.name": f"{settings.run.name}-tuned"}, "best.toml")
    gain = trial.user_attrs["gain"]
    head = f"# The best of {count} complete trials: gain {gain:.4g} on its unseen points, which flatters the best of many.\n"
    table = tuned.model_dump(exclude_none=True, mode="json")
    for door, kind in own.of(tuned) if places else ():
        door.set_name(table, _from(*places, kind.name))
    return head + tomli_w.dumps(table)


def _from(where: Path, project: Path, name: str) -> str:
    """The name of a user's class, its file counted from a folder where both are in a project; all resolved."""
    file, colon, wanted = name.rpartition(":")
    if not colon or not all(Path(os.path.realpath(place)).is_relative_to(project) for place in (file, where)):
        return name
    return f"{os.path.relpath(os.path.realpath(file), where)}:{wanted}"


def _table(settings: Config, ranked: list[FrozenTrial], places: dict[int, FrozenTrial], keys: list[str]) -> Table:
    numbers = {trial.number: place for place, trial in places.items()}
    states = [trial.state for trial in places.values()]
    counts = ", ".join(f"{states.count(state)} {state.name.lower()}" for state in TrialState if state in states)
    table = Table(title=f"{settings.run.name}: {counts}; the best on unseen points", title_justify="left")
    for name in ("trial", *keys, "gain", "gain, train", "sigma", "positive", "Kaehler defect"):
        table.add_column(name, justify="right")
    for trial in ranked[:BEST]:
        a = trial.user_attrs
        defect = "n/a (discontinuous)" if a["defect"] is None else f"{a['defect']:.2e}"
        found = (
            f"{a['gain']:.4g}",
            f"{a['gain_train']:.4g}",
            f"{a['sigma']:.4g}",
            f"{100 * a['positive']:.1f} %",
            defect,
        )
        table.add_row(str(numbers[trial.number] + 1), *(_shown(trial.params[key]) for key in keys), *found)
    return table


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _csv(places: dict[int, FrozenTrial], keys: list[str]) -> str:
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(["trial", "state", *keys, "value", *_MEASURED, "worker", "why"])
    for place, trial in places.items():
        a = trial.user_attrs
        told = [a.get(name) for name in (*_MEASURED, "worker", "why")]
        rows.writerow([place + 1, trial.state.name.lower(), *(trial.params.get(k) for k in keys), trial.value, *told])
    return text.getvalue()
