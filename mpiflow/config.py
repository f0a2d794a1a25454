"""Run files: read, checked before any work, every mistake told in one line with its cure."""

from __future__ import annotations

import tomllib
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mpiflow.doors import loaded, own
from mpiflow.errors import InputError
from mpiflow.files import take
from mpiflow.settings.mistakes import mistake, told
from mpiflow.settings.section import Named
from mpiflow.settings.whole import Config

__all__ = ["Config", "check", "loads", "read"]


def read(path: str | Path, overrides: list[str] | None = None) -> Config:
    """A run file, with `section.key=value` overrides. Raises InputError, one line a mistake."""
    path = Path(path)
    try:
        table = tomllib.loads(take(path))
    except FileNotFoundError:
        raise InputError(f"{path}: no such run file; jobs/ has examples") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not valid TOML: {told(error)}") from None
    for override in overrides or []:
        _override(table, override)
    folder = path.absolute().parent
    settings = check(table, str(path), own.beside(folder, partial(_kept, folder)))
    _complete(settings, str(path))
    return settings


def _kept(folder: Path) -> dict[str, object]:
    """Attributes of the newest sound state of a folder, whose run.toml a run file may be; {} for none."""
    from mpiflow.state import load

    state = load.latest(folder, lambda told: None)
    return state.attributes if state else {}


def _complete(settings: Config, source: str) -> None:
    missing = [name for name in settings.moved_by.needs if find_spec(name) is None]
    if missing:
        raise InputError(f"{source}: {settings.method}: needs {' and '.join(missing)}; pip install 'mpiflow[nn]'")


def loads(text: str) -> Config:
    """A run file from its text, as states carry it; of users' own files nothing is executed."""
    return check(tomllib.loads(text), "state", own.closed(Path()))


def check(table: dict[str, Any], source: str, opened: own.Opener | None = None) -> Config:
    """A run file from its parsed table. Raises InputError, one line a mistake.

    opened: how users' own classes are come by; by default from files, relative to the working directory.
    """
    opened = opened or own.beside(Path.cwd())
    try:
        with loaded.staying():
            return Config.model_validate(table, context={"own": opened})
    except ValidationError as error:
        # A union gives one mistake for each of its types: they are alternatives, told in one line.
        lines: dict[str, list[str]] = {}
        for item in error.errors():
            head, message = mistake(item, table, opened)
            lines.setdefault(head, []).append(message)
        text = (f"{source}: {head}: {' or '.join(dict.fromkeys(found))}" for head, found in lines.items())
        raise InputError(*text) from None


def _override(table: dict, override: str) -> None:
    key, equals, value = override.partition("=")
    *sections, last = [name.strip() for name in key.split(".")]
    if not equals or not sections or not all([*sections, last]):
        raise InputError(f"--set {override}: must be section.key=value, e.g. --set flow.dt=1e-3")
    try:
        found = tomllib.loads(f"value = {value}")
    except tomllib.TOMLDecodeError:
        found = {"value": value}
    except (ValueError, RecursionError) as error:
        raise InputError(f"--set {override[:40]}...: its value is not valid TOML: {told(error)}") from None
    if len(found) > 1:
        raise InputError(f"--set {override}: sets more than one key; give each a --set of its own")
    for depth, name in enumerate(sections):
        # A name that stood alone, `search = "euler"`, gets a table for its keys.
        if depth and isinstance(table.get(name), str):
            table[name] = {Named.key: table[name]}
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            raise InputError(f"--set {override}: {'.'.join(sections[: depth + 1])} is not a section of the run file")
    table[last] = found["value"]
