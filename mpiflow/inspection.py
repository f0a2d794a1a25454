"""What `mpiflow info` and `mpiflow verify` show of files that are already there."""

from __future__ import annotations

from pathlib import Path

from rich.console import Group
from rich.table import Table
from rich.text import Text

from mpiflow.belief.loader import describe, verify
from mpiflow.errors import StateError


def described(path: Path) -> tuple[dict, Group]:
    """Facts about a run folder or state file, as plain values and as tables. Raises StateError for anything else."""
    if not path.exists():
        raise StateError(f"{path}: no such file or folder; give a run folder or a state-*.h5 file")
    facts = describe(path)
    state = facts.get("latest", facts)
    parts = [_run(facts)] if "folder" in facts else []
    parts += [_state(state), _datasets(state)] if state else []
    return facts, Group(*parts)


def verdicts(folder: Path) -> tuple[list[dict], Table]:
    """Every state of a folder with its verdict. Raises StateError where there is nothing to check."""
    found = [{"path": str(path), "sound": sound, "message": text} for path, sound, text in verify(folder)]
    if not found:
        raise StateError(f"{folder}: no state to check; give a run folder")
    return found, _files(found, f"{folder}")


def _run(facts: dict) -> Group:
    status, lock = facts["status"] or {}, facts["lock"]
    table = Table.grid(padding=(0, 2))
    table.add_row("run folder", facts["folder"])
    table.add_row("status", f"{status.get('state', 'unknown')}, step {status.get('step')} of {status.get('steps')}")
    table.add_row("", status.get("message", ""))
    if lock:
        table.add_row("locked by", f"process {lock['pid']} on {lock['host']} since {lock['start']}")
    return Group(table, _files(facts["files"], "files"))


def _files(found: list[dict], title: str) -> Table:
    table = Table("file", "sound", "verdict", title=title, title_justify="left")
    for item in found:
        table.add_row(Path(item["path"]).name, "yes" if item["sound"] else Text("NO", style="red"), item["message"])
    return table


def _state(state: dict) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_row("state", state["path"])
    table.add_row("step", str(state["step"]))
    table.add_row("bytes", f"{state['bytes']:,}")
    for name, value in state["attributes"].items():
        if name != "config" and not name.endswith("_text"):
            table.add_row(name, str(value))
    for number, start in enumerate(state["provenance"]):
        origin = "new" if start["resumed_from"] is None else f"resumed from step {start['resumed_from']}"
        told = f"{start['start']} on {start['host']}, {start['ranks']} ranks, {start['backend']}, mpiflow {start['mpiflow']}"
        table.add_row(f"start {number + 1}", f"{origin}: {told} {start['commit'][:12]}")
    table.add_row("run file", state["attributes"].get("config", ""))
    for name, value in state["attributes"].items():
        if name.endswith("_text"):
            table.add_row(f"{name.removesuffix('_text')} file", value)
    return table


def _datasets(state: dict) -> Table:
    table = Table("dataset", "shape", "type", "units", "meaning", title="datasets", title_justify="left")
    for name, item in state["datasets"].items():
        table.add_row(name, str(tuple(item["shape"])), item["type"], item.get("units", ""), item.get("description", ""))
    return table
