"""The reference of run-file keys, made of the models: what `mpiflow keys` prints and docs/run-file.md holds.

A string under a key of a model says what it means: "Meaning. [unit] e.g. example", the last two where they are needed.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

import tomli_w
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from mpiflow.doors import own
from mpiflow.doors.door import Door
from mpiflow.settings.section import Named, Section
from mpiflow.settings.whole import Config

_TYPES = {int: "whole number", float: "number", bool: "true or false", str: "text", dict: "table", list: "list"}
_ENDS = {"ge": "{} or more", "gt": "more than {}", "le": "at most {}", "lt": "less than {}"}


@dataclass(frozen=True)
class Key:
    """One key: section.key, the class whose table it is of ("" for all), and what is said of it; "" for what is not."""

    name: str
    of: str
    type: str
    default: str
    unit: str
    meaning: str
    example: str


def keys() -> Iterator[Key]:
    """Every key of every table, in the order of run files; those of a door after it, class by class."""
    doors = dict(own.doors(Config))
    for section, field in Config.model_fields.items():
        if section in doors:
            yield from _through(doors[section], section)
            continue
        yield from _of(field.annotation, section, "")


def _of(model: type[Section], section: str, of: str, but: type[Section] = Section) -> Iterator[Key]:
    """Keys of a table, without those that it has from `but`."""
    said, doors = meanings(model), dict(own.doors(model))
    for name, field in model.model_fields.items():
        if name in but.model_fields:
            continue
        key, text = f"{section}.{name}", said.get(name, "")
        yield _key(key, of, field, text, doors.get(name))
        if name in doors:
            for word, kind in doors[name].known().items():
                yield from _of(doors[name].keys(kind), key, word)


def _through(door: Door, section: str) -> Iterator[Key]:
    known = door.known()
    first = door.base.usual or next(iter(known))
    text = f"Which of them; {', '.join(f'`{name}` {_line(kind)}' for name, kind in known.items())}"
    yield Key(door.key, "", _words(known), _toml(door.base.usual) or "required", "", text, _toml(first))
    yield from _of(door.base, section, "")
    for kind in known.values():
        yield from _of(kind, section, kind.name, door.base)


def _key(name: str, of: str, field: FieldInfo, said: str, door: Door | None) -> Key:
    meaning, unit, example = re.fullmatch(r"(.*?)(?: \[(.+?)\])?(?: e\.g\. (.+))?", said).groups()
    default = None if field.default is PydanticUndefined else field.default
    shown = "required" if field.is_required() else _toml(default)
    if door:
        known = door.known()
        meaning += f"; {', '.join(f'`{word}` {_line(kind)}' for word, kind in known.items())}"
        return Key(name, of, _words(known), shown, "", meaning, example or _toml(default or next(iter(known))))
    choice = next(iter(_literals(field.annotation)), None)
    return Key(
        name,
        of,
        _type(field),
        shown,
        unit or "",
        meaning,
        example or _toml(choice if default is None else default),
    )


@cache
def meanings(model: type[Section]) -> dict[str, str]:
    """The strings under the keys of a model and of those that it derives from."""
    found: dict[str, str] = {}
    for kind in reversed(model.__mro__):
        if isinstance(kind, type) and issubclass(kind, Section) and kind is not Section:
            found |= _strings(kind)
    return found


def _strings(kind: type[Section]) -> dict[str, str]:
    try:
        text = getattr(kind, "source", None) or textwrap.dedent(inspect.getsource(kind))
    except OSError:
        # Made of a space when it is loaded: all of its keys are of what it derives from.
        return {}
    tree = ast.parse(text)
    body = next(
        (node.body for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == kind.__name__), []
    )
    pairs = zip(body[:-1], body[1:], strict=True)
    return {
        key.target.id: " ".join(under.value.value.split())
        for key, under in pairs
        if isinstance(key, ast.AnnAssign) and isinstance(under, ast.Expr) and isinstance(under.value, ast.Constant)
    }


def _line(kind: type[Named]) -> str:
    """What a class says of itself, in its first sentence, without the name of the key."""
    text = " ".join((kind.__doc__ or "").split()).partition(" = ")[2] or (kind.__doc__ or "")
    return re.split(r"\.\s|\.$|; ", text.partition(": ")[2] or text)[0].strip()


def _words(known: dict[str, Any]) -> str:
    return f"{', '.join(map(_toml, known))}, or a class of a file"


def _type(field: FieldInfo) -> str:
    """Type and range in words."""
    literals = [_toml(word) for word in _literals(field.annotation)]
    base = next((_TYPES[part] for part in _parts(field.annotation) if part in _TYPES), "")
    ends = {name: getattr(mark, name) for mark in _marks(field) for name in _ENDS if hasattr(mark, name)}
    told = " and ".join(_ENDS[name].format(f"{value:g}") for name, value in ends.items())
    plain = " or ".join(filter(None, [", ".join(literals), base if not literals or base == "list" else ""]))
    return f"{plain}, {told}" if told else plain


def _marks(field: FieldInfo) -> list:
    marks = list(field.metadata)
    for part in get_args(field.annotation):
        if get_origin(part) is Annotated:
            marks += [inner for mark in part.__metadata__ for inner in getattr(mark, "metadata", [mark])]
    return marks


def _parts(annotation: Any) -> list[type]:
    """The plain types of an annotation, tuples as lists."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _parts(get_args(annotation)[0])
    if origin in (tuple, list):
        return [list]
    if origin is dict:
        return [dict]
    if origin is not None and origin is not Literal:
        return [part for item in get_args(annotation) for part in _parts(item)]
    return [annotation] if isinstance(annotation, type) and annotation is not NoneType else []


def _literals(annotation: Any) -> list[str]:
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    return [word for part in get_args(annotation) for word in _literals(part)]


def _toml(value: Any) -> str:
    """A value as run files have it; "" for none."""
    if value is None:
        return ""
    plain = list(value) if isinstance(value, tuple) else getattr(value, "name", value)
    return (
        tomli_w.dumps({"x": plain})
        .strip()
        .removeprefix("x = ")
        .replace("\n", "")
        .replace("    ", "")
        .replace(",]", "]")
    )


def markdown() -> str:
    """The whole reference, as docs/run-file.md holds it."""
    lines, section, of = [_HEAD], "", None
    for key in keys():
        table = key.name.split(".")[0]
        if table != section:
            section, of = table, None
            lines += ["", f"## [{section}]", ""]
        if key.of != of:
            of = key.of
            lines += ["", f"`{key.name.rpartition('.')[0]}` of `{of}`:"] if of else []
            lines += [""] if lines[-1] else []
            lines += ["| key | type | default | unit | meaning | example |", "| --- | --- | --- | --- | --- | --- |"]
        columns = (f"`{key.name}`", key.type, key.default, key.unit, key.meaning, f"`{key.example}`")
        lines.append("| " + " | ".join(column.replace("|", "\\|") for column in columns) + " |")
    return "\n".join(lines) + "\n"


_HEAD = """# The run file

Made of the models by `mpiflow keys --markdown`; `mpiflow keys flow.dt` prints one key. A run file is TOML: tables of keys.
What is not said has its default, what is not known is refused. `mpiflow run FILE --set flow.dt=0.01` changes a key for one
start.

| table | opens the door to |
| --- | --- |
| `[manifold]` | a family of manifolds, by `manifold.family` |
| `[kernel]`, `[network]` | what moves the metric, by `kernel.name` or `network.kind`; potentials, by `kernel.features` |
| `[flow]` | what is lowered, by `flow.loss`; how a step is taken, by `flow.search` |
| `[clusters]` | how points are clustered, by `clusters.linkage` and `clusters.merge` |
| `[engine]` | how kernel sums are made, by `engine.mode` |
| `[points]`, `[output]` | none: points, when states are written |
| `[tune]` | none: what a study searches; no state remembers it |

Where a key is one of several classes, a class of your own does as well: `"mine.py:Laplace"`, the file counted from the run
file, or the name of an entry point of an installed package ([the house](../docs/architecture.md) says what it derives from and
gives). Its keys stand beside its name:
`search = { name = "gauss-newton", inner = 60 }`. A state remembers where the file was, and knows it by its SHA-256: where it is
gone, the run folder and those above it are searched for it, so that a project may be moved with its runs."""
