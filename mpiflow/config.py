"""Run files: read, checked before any work, every mistake told in one line with its cure."""

from __future__ import annotations

import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mpiflow.errors import InputError
from mpiflow.files import take
from mpiflow.methods import own
from mpiflow.settings.mistakes import mistake, told
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
    settings = check(table, str(path), own.beside(path.absolute().parent))
    _complete(settings, str(path))
    return settings


def _complete(settings: Config, source: str) -> None:
    missing = [name for name in settings.moved_by.needs if find_spec(name) is None]
    if missing:
        raise InputError(f"{source}: {settings.method}: needs {' and '.join(missing)}; pip install 'mpiflow[nn]'")


def loads(text: str) -> Config:
    """A run file from its text, as states carry it; of a user's own kernel nothing is executed."""
    return check(tomllib.loads(text), "state", own.closed(Path()))


def check(table: dict[str, Any], source: str, door: own.Door | None = None) -> Config:
    """A run file from its parsed table. Raises InputError, one line a mistake.

    door: how users' own kernels are come by; by default from files, relative to the working directory.
    """
    door = door or own.beside(Path.cwd())
    try:
        return Config.model_validate(table, context={"door": door})
    except ValidationError as error:
        # A union gives one mistake for each of its types: they are alternatives, told in one line.
        lines: dict[str, list[str]] = {}
        for item in error.errors():
            head, message = mistake(item, table, door)
            lines.setdefault(head, []).append(message)
        text = (f"{source}: {head}: {' or '.join(dict.fromkeys(found))}" for head, found in lines.items())
        raise InputError(*text) from None


def _override(table: dict, override: str) -> None:
    key, equals, value = override.partition("=")
    names = [name.strip() for name in key.split(".")]
    if not equals or len(names) != 2 or not all(names):
        raise InputError(f"--set {override}: must be section.key=value, e.g. --set flow.dt=1e-3")
    try:
        found = tomllib.loads(f"value = {value}")
    except tomllib.TOMLDecodeError:
        found = {"value": value}
    except (ValueError, RecursionError) as error:
        raise InputError(f"--set {override[:40]}...: its value is not valid TOML: {told(error)}") from None
    if len(found) > 1:
        raise InputError(f"--set {override}: sets more than one key; give each a --set of its own")
    section = table.setdefault(names[0], {})
    if not isinstance(section, dict):
        raise InputError(f"--set {override}: {names[0]} is not a section of the run file")
    section[names[1]] = found["value"]
