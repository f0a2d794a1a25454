"""Run files: read, checked before any work, every mistake told in one line with its cure."""

from __future__ import annotations

import re
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mpiflow.errors import InputError
from mpiflow.files import take
from mpiflow.settings import Config, DeltaKernel, GaussianKernel, KaehlerKernel, ReluKernel

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
    settings = check(table, str(path))
    if settings.network:
        _needs_jax(str(path))
    return settings


def _needs_jax(source: str) -> None:
    missing = [name for name in ("jax", "optax") if find_spec(name) is None]
    if missing:
        raise InputError(f"{source}: network: needs {' and '.join(missing)}; pip install 'mpiflow[nn]'")


def loads(text: str) -> Config:
    """A run file from its text, as states carry it."""
    return check(tomllib.loads(text), "state")


def check(table: dict[str, Any], source: str) -> Config:
    """A run file from its parsed table. Raises InputError, one line a mistake."""
    try:
        return Config.model_validate(table)
    except ValidationError as error:
        # A union gives one mistake for each of its types: they are alternatives, told in one line.
        lines: dict[str, list[str]] = {}
        for item in error.errors():
            head, message = _mistake(item)
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


def _mistake(item: dict) -> tuple[str, str]:
    """One mistake as its key (with the value, where it matters) and what is wrong with it, with the cure."""
    # Unions add the name of the tried type to the path; the kernel's union adds its tag.
    path = [part for part in item["loc"] if not _TYPE.fullmatch(str(part))]
    key = ".".join(str(part) for place, part in enumerate(path) if not (place == 1 and part in _KERNELS))
    if item["type"] == "extra_forbidden":
        return key, f"unknown key; the valid ones here are {', '.join(_fields(path[:-1]))}"
    if item["type"] == "missing":
        return key, f"missing; {_HINTS.get(key, 'it has no default')}"
    if item["type"] in ("union_tag_invalid", "union_tag_not_found"):
        return "kernel.name", f"must be one of {', '.join(_KERNELS)}"
    message = item["msg"].removeprefix("Value error, ").replace("Input should", "must")
    if item["type"] == "value_error":
        # Raised by a section about one of its keys: "key = value: why; cure".
        head, _, rest = message.partition(": ")
        return ".".join(filter(None, [key, head])), rest
    hint = f"; {_HINTS[key]}" if key in _HINTS else ""
    return f"{key} = {item['input']!r}", message + hint


#: How the name of a type in a union looks.
_TYPE = re.compile(r"float|int|(tuple|list|dict|literal|function|constrained)\S*\[.*\]")
_KERNELS = {
    "gaussian": GaussianKernel,
    "delta": DeltaKernel,
    "relu": ReluKernel,
    "kaehler": KaehlerKernel,
}
_HINTS = {
    "flow": "give [flow] with at least dt and steps",
    "flow.dt": 'the step is positive; with normalisation = "row" 0.03 is a good start for the Gaussian kernel',
    "network.kind": "multiplicative is the paper's network; potential is exactly Kaehler",
    "kernel.width": "a Fubini-Study distance; 0.3 to 0.5 suit 1000 points",
}


def _fields(path: list) -> list[str]:
    """Names of the valid keys of the section at a path of the run file."""
    model: Any = Config
    for part in path:
        if part in _KERNELS:
            model = _KERNELS[part]
        elif part != "kernel":
            annotation = model.model_fields[part].annotation
            # `Network | None` is the one that may be absent.
            model = getattr(annotation, "__args__", (annotation,))[0]
    return list(model.model_fields)
