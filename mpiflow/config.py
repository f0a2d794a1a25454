"""Run files: read, checked before any work, every mistake told in one line with its cure."""

from __future__ import annotations

import re
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mpiflow.doors import own
from mpiflow.errors import InputError
from mpiflow.files import take
from mpiflow.settings.section import Named, Section
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
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: not valid TOML: {error}") from None
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
    """A run file from its text, as states carry it; of users' own files nothing is executed."""
    return check(tomllib.loads(text), "state", own.closed(Path()))


def check(table: dict[str, Any], source: str, opened: own.Opener | None = None) -> Config:
    """A run file from its parsed table. Raises InputError, one line a mistake.

    opened: how users' own classes are come by; by default from files, relative to the working directory.
    """
    opened = opened or own.beside(Path.cwd())
    try:
        return Config.model_validate(table, context={"own": opened})
    except ValidationError as error:
        # A union gives one mistake for each of its types: they are alternatives, told in one line.
        lines: dict[str, list[str]] = {}
        for item in error.errors():
            head, message = _mistake(item, table, opened)
            lines.setdefault(head, []).append(message)
        text = (f"{source}: {head}: {' or '.join(dict.fromkeys(found))}" for head, found in lines.items())
        raise InputError(*text) from None


def _override(table: dict, override: str) -> None:
    key, equals, value = override.partition("=")
    *sections, last = [name.strip() for name in key.split(".")]
    if not equals or not sections or not all([*sections, last]):
        raise InputError(f"--set {override}: must be section.key=value, e.g. --set flow.dt=1e-3")
    try:
        parsed = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        parsed = value
    for depth, name in enumerate(sections):
        # A name that stood alone, `search = "euler"`, gets a table for its keys.
        if depth and isinstance(table.get(name), str):
            table[name] = {Named.key: table[name]}
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            raise InputError(f"--set {override}: {'.'.join(sections[: depth + 1])} is not a section of the run file")
    table[last] = parsed


def _mistake(item: dict, table: dict, opened: own.Opener) -> tuple[str, str]:
    """One mistake as its key (with the value, where it matters) and what is wrong with it, with the cure."""
    # Unions add the name of the tried type to the path.
    path = [part for part in item["loc"] if not _TYPE.fullmatch(str(part))]
    key, model = ".".join(map(str, path)), _model(path[:-1], table, opened)
    fields = model.model_fields if model else {}
    names = [*([model.key] if issubclass(model, Named) else []), *fields] if model else []
    cure = fields[path[-1]].description if path and path[-1] in fields else None
    if item["type"] == "extra_forbidden":
        return key, f"unknown key; the valid ones here are {', '.join(names) or 'none'}"
    if item["type"] == "missing":
        told = f"; the valid keys here are {', '.join(names)}" if model and issubclass(model, Named) else ""
        return key, f"missing; {cure or 'it has no default'}{told}"
    message = item["msg"].removeprefix("Value error, ").replace("Input should", "must")
    if item["type"] == "value_error":
        # Raised by a section about one of its keys, "key = value: why; cure", or about its whole value, " = value: ...".
        head, _, rest = message.partition(": ")
        return f"{key}{head}" if head.startswith(" ") else ".".join(filter(None, [key, head])), rest
    return f"{key} = {item['input']!r}", f"{message}; {cure}" if cure else message


#: How the name of a type in a union looks.
_TYPE = re.compile(r"float|int|(tuple|list|dict|literal|function|constrained)\S*\[.*\]")


def _model(path: list, table: dict, opened: own.Opener) -> type[Section] | None:
    """The section at a path of the run file; None where there is none."""
    model, value = Config, table
    for part in path:
        field, value = model.model_fields[part], value[part]
        door = dict(own.doors(model)).get(part)
        model = door.kind(door.split(value)[0], opened) if door else field.annotation
        if not isinstance(model, type) or not issubclass(model, Section):
            return None
    return model
