"""The keys of a run file."""

from __future__ import annotations

from typing import Annotated

import typer


def keys(
    name: Annotated[str, typer.Argument(help="A key or the beginning of one, e.g. flow.dt, flow, kernel.")] = "",
    markdown: Annotated[bool, typer.Option("--markdown", help="All of them, as docs/run-file.md holds them.")] = False,
) -> None:
    """Show keys of a run file: type, range, default, unit, meaning and an example of each."""
    from mpiflow.errors import InputError
    from mpiflow.screen import answer
    from mpiflow.settings import reference

    if markdown:
        answer(reference.markdown().rstrip("\n"))
        return
    every = list(reference.keys())
    found = [key for key in every if f"{key.name}.".startswith(f"{name}.") or not name]
    if not found:
        table = name.split(".")[0]
        beside = dict.fromkeys(key.name for key in every if key.name.startswith(f"{table}."))
        tables = dict.fromkeys(key.name.split(".")[0] for key in every)
        known = f"those of {table} are {', '.join(beside)}" if beside else f"the tables are {', '.join(tables)}"
        raise InputError(f"keys {name}: no such key; {known}; the keys of a class of yours are the fields in its file")
    for key in found:
        of = f" (of {key.of})" if key.of else ""
        answer(f"{key.name}{of}: {key.type}{f', [{key.unit}]' if key.unit else ''}")
        kept = key.default if key.default == "required" else f"default {key.default or 'none'}"
        answer(f"    {key.meaning}\n    {kept}; e.g. {key.name} = {key.example}")


COMMANDS = {120: keys}
