"""Run files that differ from one another in the keys of a study."""

from __future__ import annotations

from typing import Any

from mpiflow import config
from mpiflow.config import Config
from mpiflow.doors import own as opener
from mpiflow.tune.space import Choice, Range


def variant(settings: Config, values: dict[str, Any], source: str = "trial") -> Config:
    """The same run with other values for `section.key`s. Raises InputError where a run file would not allow them."""
    table = settings.model_dump(exclude_none=True, mode="json")
    for key, value in values.items():
        section, name = key.split(".")
        table.setdefault(section, {})[name] = value
    found = config.check(table, source, opener.same(settings))
    found.points.stay(settings.points)
    return found


def check(settings: Config, searched: list[Range | Choice], source: str) -> None:
    """Raise InputError for a key, or an end of its range, that no run file allows, before any trial."""
    for dimension in searched:
        for value in dimension.ends():
            variant(settings, {dimension.key: value}, f"{source}: tune.space")


def own(settings: Config, searched: list[Range | Choice]) -> dict[str, Any]:
    """The run file's own values of the searched keys, where they are among what is searched."""
    table, found = settings.model_dump(), {}
    for dimension in searched:
        section, name = dimension.key.split(".")
        value = table[section].get(name)
        if dimension.key == "flow.clip" and value is None:
            # No clip is the highest that there is.
            value = max(dimension.ends())
        if dimension.holds(value):
            found[dimension.key] = value
    return found
