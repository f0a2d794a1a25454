"""What is wrong with a run file, in one line a mistake: the key, the value, why, the cure."""

from __future__ import annotations

import re
from typing import Any

from pydantic.fields import FieldInfo

from mpiflow.methods import own, registry
from mpiflow.settings.section import LEAST
from mpiflow.settings.whole import Config

#: What pydantic says in its own words, in ours.
_PREFIX = re.compile(r"^(Input|String|List|Tuple|Dictionary) should ")
_WORDS = {
    "int_type": "must be a whole number, and no text",
    "float_type": "must be a number, and no text",
    "bool_type": "must be true or false",
    "string_type": "must be text in quotes",
    "greater_than_equal": "must be greater than or equal to {ge:g}",
    "less_than_equal": "must be less than or equal to {le:g}",
    "finite_number": "must be a finite number",
    "list_type": "must be a list",
    "model_type": "must be a table",
}
#: Characters of a value that are shown.
_LONGEST = 80
#: How the name of a type in a union looks.
_TYPE = re.compile(r"float|int|(tuple|list|dict|literal|function|constrained)\S*\[.*\]")


def mistake(item: dict, table: dict, door: own.Door) -> tuple[str, str]:
    """One mistake as its key (with the value, where it matters) and what is wrong with it, with the cure."""
    # Unions add the name of the tried type to the path.
    path = [part for part in item["loc"] if not _TYPE.fullmatch(str(part))]
    key, fields = ".".join(map(str, path)), _fields(path[:-1], table, door)
    cure = fields[path[-1]].description if path and path[-1] in fields else None
    if item["type"] == "extra_forbidden":
        names = ["name", *fields] if path[0] == "kernel" else fields
        return key, f"unknown key; the valid ones here are {', '.join(names)}"
    if item["type"] == "missing":
        return key, f"missing; {cure or 'it has no default'}"
    message = _PREFIX.sub("must ", item["msg"].removeprefix("Value error, "))
    if item["type"] == "value_error":
        # Raised by a section about one of its keys, or by such a key about itself: "key = value: why; cure".
        head, _, rest = message.partition(": ")
        names = path[:-1] if path and re.match(rf"{re.escape(str(path[-1]))}\b", head) else path
        return ".".join([*map(str, names), *[head] * bool(head)]), rest
    if item["type"] in _WORDS:
        message = _WORDS[item["type"]].format(**item.get("ctx", {}))
    if item.get("ctx", {}).get("ge") == LEAST:
        message = f"must be greater than 0, by {LEAST} at least"
    return f"{key} = {_shown(item['input'])}", f"{message}; {cure}" if cure else message


def _shown(value: object) -> str:
    """A value of a run file, and of a long one its beginning."""
    try:
        text = repr(value)
    except (ValueError, RecursionError) as error:
        return f"a value that cannot be shown ({told(error)})"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def told(error: Exception) -> str:
    """What is wrong with a text, without advice on how to have Python read it all the same."""
    return "nested too deep" if isinstance(error, RecursionError) else str(error).partition(";")[0]


def _fields(path: list, table: dict, door: own.Door) -> dict[str, FieldInfo]:
    """The valid keys of the section at a path of the run file."""
    model: Any = Config
    for part in path:
        annotation = model.model_fields[part].annotation
        # `Network | None` is the one that may be absent.
        model = (
            registry.kind(table[part]["name"], door)
            if part == "kernel"
            else getattr(annotation, "__args__", (annotation,))[0]
        )
        if not hasattr(model, "model_fields"):
            return {}
    return model.model_fields
