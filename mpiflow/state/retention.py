"""Which states stay: the last few and every m-th; and what becomes of files that never became states."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mpiflow.files.disk import Disk
from mpiflow.state import holder, naming


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
    states, gone = naming.states(folder), set()
    old = expired([step for step, _ in states], committed, keep, keep_every)
    for step, path in states:
        if step in old:
            with _told(path, say):
                files.remove(path)
                gone.add(step)
    parts = [path for step, path in naming.parts(folder) if step in gone]
    if parts:
        with _told(folder, say):
            # A master goes before its parts, and for certain: whatever is cut off in between, no state lacks a part.
            files.sync_folder(folder)
            for path in parts:
                with _told(path, say):
                    files.remove(path)


@contextmanager
def _told(path: Path, say: Callable[[str], None]) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        say(f"{path}: a state that has expired cannot be deleted: {error.strerror}; delete it when you can")


def sweep(folder: Path, say: Callable[[str], None], files: Disk) -> None:
    """Tell of files that were never committed; remove them if this process holds the lock: they are its own."""
    owner, found = holder.mine(folder), leftovers(folder)
    for path, what in found:
        say(f"{path} is {what}; " + ("removed" if owner else "the owner of the folder will remove it"))
    if owner and found:
        with suppress(OSError):
            # A part without its master may be of a state whose deletion is not yet certain: else it could come back.
            files.sync_folder(folder)
            for path, _ in found:
                with suppress(OSError):
                    files.remove(path)


def leftovers(folder: Path) -> list[tuple[Path, str]]:
    """(path, what it is) of every file that never became a state or a part of one."""
    masters = {step for step, _ in naming.states(folder)}
    found = [(path, f"never committed, left by {writer}") for path, writer in naming.temporaries(folder)]
    orphans = [path for step, path in naming.parts(folder) if step not in masters]
    return found + [(path, "a part whose state was never committed") for path in orphans]
