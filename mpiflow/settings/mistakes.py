"""What is wrong with a run file, in one line a mistake: the key, the value, why, the cure."""

from __future__ import annotations

import re

from mpiflow.doors import own
from mpiflow.settings.section import LEAST, Named, Section
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
    "too_short": "must have at least {min_length} entries",
    "model_type": "must be a table",
}
#: Characters of a value that are shown.
_LONGEST = 80
#: How the name of a type in a union looks.
_TYPE = re.compile(r"float|int|(tuple|list|dict|literal|function|constrained)\S*\[.*\]")


def mistake(item: dict, table: dict, opened: own.Opener) -> tuple[str, str]:
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
        others = f"; the valid keys here are {', '.join(names)}" if model and issubclass(model, Named) else ""
        return key, f"missing; {cure or 'it has no default'}{others}"
    message = _PREFIX.sub("must ", item["msg"].removeprefix("Value error, "))
    if item["type"] == "value_error":
        # Raised by a section about one of its keys, or by such a key about itself: "key = value: why; cure"; or by what may
        # be a word alone: " = value: why; cure".
        head, _, rest = message.partition(": ")
        if head.startswith(" "):
            return f"{key}{head}", rest
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


def _model(path: list, table: dict, opened: own.Opener) -> type[Section] | None:
    """The section at a path of the run file; None where there is none."""
    model, value = Config, table
    for part in path:
        field, value = model.model_fields[part], value[part]
        door = dict(own.doors(model)).get(part)
        model = door.keys(door.kind(door.split(value)[0], opened)) if door else field.annotation
        if not isinstance(model, type) or not issubclass(model, Section):
            return None
    return model
