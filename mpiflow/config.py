"""Run files: read, checked before any work, every mistake told in one line with its cure."""

from __future__ import annotations

import re
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from mpiflow.errors import InputError
from mpiflow.files import take
from mpiflow.geometry.families import registry as families
from mpiflow.methods import own, registry
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
            head, message = _mistake(item, table, door)
            lines.setdefault(head, []).append(message)
        text = (f"{source}: {head}: {' or '.join(dict.fromkeys(found))}" for head, found in lines.items())
        raise InputError(*text) from None


def _override(table: dict, override: str) -> None:
    key, equals, value = override.partition("=")
    names = [name.strip() for name in key.split(".")]
    if not equals or len(names) != 2 or not all(names):
        raise InputError(f"--set {override}: must be section.key=value, e.g. --set flow.dt=1e-3")
    try:
        parsed = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        parsed = value
    section = table.setdefault(names[0], {})
    if not isinstance(section, dict):
        raise InputError(f"--set {override}: {names[0]} is not a section of the run file")
    section[names[1]] = parsed


def _mistake(item: dict, table: dict, door: own.Door) -> tuple[str, str]:
    """One mistake as its key (with the value, where it matters) and what is wrong with it, with the cure."""
    # Unions add the name of the tried type to the path.
    path = [part for part in item["loc"] if not _TYPE.fullmatch(str(part))]
    key, fields = ".".join(map(str, path)), _fields(path[:-1], table, door)
    cure = fields[path[-1]].description if path and path[-1] in fields else None
    if item["type"] == "extra_forbidden":
        return key, f"unknown key; the valid ones here are {', '.join(_names(path, fields))}"
    if item["type"] == "missing":
        told = f"; the valid keys here are {', '.join(_names(path, fields))}" if path[0] in _NAMED else ""
        return key, f"missing; {cure or 'it has no default'}{told}"
    message = item["msg"].removeprefix("Value error, ").replace("Input should", "must")
    if item["type"] == "value_error":
        # Raised by a section about one of its keys: "key = value: why; cure".
        head, _, rest = message.partition(": ")
        return ".".join(filter(None, [key, head])), rest
    return f"{key} = {item['input']!r}", f"{message}; {cure}" if cure else message


#: Tables whose keys depend on what they name, and the key that names it.
_NAMED = {"kernel": "name", "manifold": "family"}


def _names(path: list, fields: dict[str, FieldInfo]) -> list[str]:
    return [*([_NAMED[path[0]]] if path[0] in _NAMED else []), *fields]


#: How the name of a type in a union looks.
_TYPE = re.compile(r"float|int|(tuple|list|dict|literal|function|constrained)\S*\[.*\]")


def _fields(path: list, table: dict, door: own.Door) -> dict[str, FieldInfo]:
    """The valid keys of the section at a path of the run file."""
    model: Any = Config
    for part in path:
        annotation = model.model_fields[part].annotation
        # `Network | None` is the one that may be absent.
        if part == "kernel":
            model = registry.kind(table[part]["name"], door)
        elif part == "manifold":
            model = families.kind(str(table[part].get("family", families.DEFAULT)))
        else:
            model = getattr(annotation, "__args__", (annotation,))[0]
        if not hasattr(model, "model_fields"):
            return {}
    return model.model_fields
