"""Which states stay: the last few and every m-th; and what becomes of files that never became states."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from mpiflow.state import holder, naming
from mpiflow.files.disk import Disk


def expired(steps: list[int], committed: int, keep: int, keep_every: int | None) -> list[int]:
    """The steps whose states may go now that the one of step `committed` is sound, oldest first.

    Steps above `committed` are damaged states that the run went behind: they neither count nor go.
    """
    before = sorted(step for step in steps if step < committed)
    old = before[: max(len(before) - (keep - 1), 0)]
    return [step for step in old if not (keep_every and step % keep_every == 0)]


def prune(
    folder: Path, committed: int, keep: int, keep_every: int | None, say: Callable[[str], None], files: Disk
) -> None:
    """Delete the states that expired. Call it once `committed` was read back and renamed; a failure is only told."""
    old = set(expired([step for step, _ in naming.states(folder)], committed, keep, keep_every))
    # A master goes before its parts: whatever is cut off in between, no state that is left lacks a part.
    for step, path in naming.states(folder) + naming.parts(folder):
        if step in old:
            try:
                files.remove(path)
            except OSError as error:
                say(f"{path} has expired but cannot be deleted: {error.strerror}; delete it when you can")


def sweep(folder: Path, say: Callable[[str], None], files: Disk) -> None:
    """Tell of files that were never committed; remove them if this process holds the lock: they are its own."""
    owner = holder.mine(folder)
    for path, what in leftovers(folder):
        say(f"{path} is {what}; " + ("removed" if owner else "the owner of the folder will remove it"))
        if owner:
            with suppress(OSError):
                files.remove(path)


def leftovers(folder: Path) -> list[tuple[Path, str]]:
    """(path, what it is) of every file that never became a state or a part of one."""
    masters = {step for step, _ in naming.states(folder)}
    found = [(path, f"never committed, left by {writer}") for path, writer in naming.temporaries(folder)]
    orphans = [path for step, path in naming.parts(folder) if step not in masters]
    return found + [(path, "a part whose state was never committed") for path in orphans]
