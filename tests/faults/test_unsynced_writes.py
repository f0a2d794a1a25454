"""A machine that fails forgets whatever no fsync has made certain: states are whole or absent, and the promised ones there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from recording import Loss, Moment, Operation, Recording
from states import ATTRIBUTES, same, small_arrays

from mpiflow import config
from mpiflow.comm import Comm
from mpiflow.files.disk import Disk
from mpiflow.job.folder import opened
from mpiflow.state import commit, load, naming, retention, status
from mpiflow.state.commit import Writer
from mpiflow.state.lock import RunLock

PART = 12_000
LARGEST = 1 << 30
OUTCOME = "every state whole or absent, none lost that was promised"


class Life:
    """One start of a run in a folder, recorded, and what readers see in the folders that crashes leave of it."""

    def __init__(self, folder: Path, steps: range, cut: range, keep: int, killed: Sequence[Operation] = ()):
        """Commits steps, those of `cut` in parts, and keeps the last `keep`. killed: what was done until kill -9 came."""
        self.keep, self.begun = keep, len(killed)
        self.found = folder.with_name(f"{folder.name}-found")
        lay_out(Moment(killed).after([]), folder)
        files = Recording(folder, killed)
        with RunLock(folder):
            writer = Writer(Comm(), folder, keep, files=files)
            status.report(folder, "running", 0, 9, files=files)
            for step in steps:
                writer.part_bytes = PART if step in cut else LARGEST
                writer.submit(step, small_arrays(step), ATTRIBUTES)
                writer.settle()
                files.operations.append(("returned", step))
            status.report(folder, "stopped", steps[-1], 9, 75, files=files)
        self.operations, end = files.operations, Moment(files.operations)
        self.whole = {name: {bytes(end.written[file]) for file in numbers} for name, numbers in end.ever.items()}
        self._read: dict[frozenset, set[int]] = {}

    def survives(self, moment: Moment, losses: list[Loss]) -> None:
        """Fails where something is not as it was written, or where a state is gone whose commit had returned."""
        left = {name: data for name, data in moment.after(losses).items() if not name.startswith(".")}
        for name, data in left.items():
            assert data in self.whole[name], f"{name} is neither whole nor absent after {losses}"
        seen = frozenset((name, data) for name, data in left.items() if name != "status.json")
        if seen not in self._read:
            self._read[seen] = read(lay_out(left, self.found))
        for step in moment.returned - self._read[seen]:
            newer = [other for other in self._read[seen] if other > step]
            assert len(newer) >= self.keep, f"step {step} is gone, {newer} are there, after {losses}"


def read(folder: Path) -> set[int]:
    """The steps of the states in a folder; every one is sound, and the newest as it was committed."""
    assert [message for _, sound, message in load.verify(folder) if not sound] == []
    steps = {step for step, _ in naming.states(folder)}
    newest = load.latest(folder, pytest.fail)
    assert (newest.step if newest else None) == max(steps, default=None)
    assert newest is None or same(newest.arrays, small_arrays(newest.step))
    return steps


def lay_out(files: dict[str, bytes], folder: Path) -> Path:
    """A folder with these files and no others."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture(scope="module")
def lives(tmp_path_factory) -> list[Life]:
    """A run that keeps two states; starts that keep one after it was killed with a state half-written, half-deleted."""
    folder = tmp_path_factory.mktemp("lives")
    first = Life(folder / "first", range(1, 5), range(2, 3), keep=2)
    written = first.operations[: place(first.operations, is_named, 2)]
    deleted = first.operations[: place(first.operations, is_deleted, 2) + 1]
    return [
        first,
        Life(folder / "second", range(2, 4), range(2, 3), 1, written),
        Life(folder / "third", range(5, 6), range(0), 1, deleted),
    ]


def is_named(verb: str, *what) -> int | None:
    """The step whose state is given its name by an operation."""
    return naming.step_of(what[1]) if verb == "replace" else None


def is_deleted(verb: str, *what) -> int | None:
    """The step whose state is deleted by an operation."""
    return naming.step_of(what[0]) if verb == "remove" else None


def place(operations: list[Operation], step_of, step: int) -> int:
    """Where a step's state is named or deleted."""
    return next(place for place, what in enumerate(operations) if step_of(*what) == step)


def moments(life: Life, operations: list[Operation]) -> Iterator[Moment]:
    """The moments before, between and after the operations of a life."""
    for end in range(life.begun, len(operations) + 1):
        yield Moment(operations[:end])


def test_every_prefix_and_every_single_loss(lives, row):
    tried = [len(every_crash(life, life.operations)) for life in lives]
    prefixes = sum(len(list(moments(life, life.operations))) for life in lives)
    row("unsynced writes lost at a kill", "after each operation, nothing else lost", OUTCOME, prefixes)
    row("unsynced writes lost at a kill", "each page and each name by itself", OUTCOME, sum(tried) - prefixes)


def every_crash(life: Life, operations: list[Operation]) -> list[list[Loss]]:
    """The losses that a life survived."""
    tried = []
    for moment in moments(life, operations):
        for losses in [[], *([loss] for loss in moment.losses())]:
            life.survives(moment, losses)
            tried.append(losses)
    return tried


def test_random_losses(lives, full, row):
    rng = np.random.default_rng(41)
    count = 1000 if full else 100
    for life in lives:
        loose = [moment for moment in moments(life, life.operations) if len(moment.losses()) > 1]
        for moment in rng.choice(loose, count):
            losses, share = moment.losses(), rng.random()
            life.survives(moment, [losses[place] for place in rng.permutation(len(losses)) if rng.random() < share])
    row("unsynced writes lost at a kill", "random subsets of these", OUTCOME, count * len(lives))


def test_a_run_goes_on_from_what_a_crash_left(lives, tmp_path, full, row):
    rng = np.random.default_rng(42)
    count = 30 if full else 4
    for moment in rng.choice(list(moments(lives[1], lives[1].operations)), count):
        losses = moment.losses()
        left = moment.after([losses[place] for place in rng.permutation(len(losses)) if rng.random() < 0.5])
        folder = lay_out(left, tmp_path / "left")
        with RunLock(folder):
            writer = Writer(Comm(), folder, keep=1, part_bytes=PART)
            writer.submit(8, small_arrays(8), ATTRIBUTES)
            writer.settle()
        assert read(folder) == {8} and not retention.leftovers(folder)
    row("unsynced writes lost at a kill", "the next start in what is left", "goes on, nothing left over", count)


def open_folder(folder, job, fresh=False):
    with ExitStack() as stack:
        opened(folder, config.read(job), fresh, stack, lambda text: None)


def test_the_name_of_a_new_run_folder_is_certain_too(tmp_path, job, monkeypatch):
    synced = []
    monkeypatch.setattr(Disk, "sync_folder", lambda disk, folder: synced.append(folder))
    open_folder(tmp_path / "runs" / "new", job)
    assert {tmp_path, tmp_path / "runs"} <= set(synced)


def test_a_run_is_certain_to_lie_aside_before_it_is_gone(tmp_path, job, monkeypatch):
    folder, aside, synced = tmp_path / "run", tmp_path / "run.old-1", []
    folder.mkdir()
    open_folder(folder, job)
    commit.write(folder, 1, small_arrays(), ATTRIBUTES)
    moved = naming.state_path(aside, 1)
    monkeypatch.setattr(Disk, "sync_folder", lambda disk, at: synced.append((at, moved.exists())))
    open_folder(folder, job, fresh=True)
    places = [at for at, there in synced if there]
    assert set(places[:2]) == {aside, tmp_path}


#: Writers that are wrong in one way each: what they would have done in place of what was recorded.
WRONG = {
    "no fsync of files": lambda done: [what for what in done if what[0] != "sync"],
    "no fsync of the folder": lambda done: [what for what in done if what[0] != "sync folder"],
    "named before fsync": lambda done: delayed(done, lambda verb, *_: verb == "sync", "replace"),
    "named before its parts": lambda done: delayed(
        done, lambda *what: what[0] == "replace" and "part" in what[2], "returned"
    ),
    "deleted after its parts": lambda done: delayed(done, is_deleted, "returned"),
    "deleted with its parts": lambda done: [
        what for last, what in pairwise([("",), *done]) if what[0] != "sync folder" or not is_deleted(*last)
    ],
    "deleted before the next": lambda done: delayed(done[::-1], is_deleted, "returned")[::-1],
}


def delayed(operations: list[Operation], which, verb: str) -> list[Operation]:
    """These operations, some of them only after the next of this verb."""
    found, waiting = [], []
    for what in operations:
        (waiting if which(*what) else found).append(what)
        if what[0] == verb:
            found, waiting = found + waiting, []
    return found + waiting


@pytest.mark.parametrize("wrong", WRONG)
def test_a_writer_that_is_wrong_is_caught(lives, wrong):
    done, begun = lives[1].operations, lives[1].begun
    with pytest.raises(AssertionError, match="is gone|neither whole nor absent|-part-"):
        every_crash(lives[1], done[:begun] + WRONG[wrong](done[begun:]))
