"""kill -9 at any moment: nothing committed is lost, and the resumed run is the run that was never killed."""

from __future__ import annotations

import json

import driver
import pytest
from driver import FULL

from mpiflow.state import load

VICTIMS = ("launcher", "rank 1", "all", "rank 0")


@pytest.mark.parametrize("batch", range(11 if FULL else 1))
def test_killed_runs_lose_nothing_and_end_with_the_same_bits(job, unhurt, tmp_path, batch, row):
    rng = driver.chance(11 + batch)
    wanted = 20 if FULL else 2
    kills = in_save = finished = furthest = 0
    from_steps = [None]
    while kills < wanted or not finished:
        folder = tmp_path / f"run-{finished}"
        start = driver.Run(job, folder)
        struck = kills < wanted and until_the_moment(start, rng)
        ranks = start.ranks()
        if struck:
            in_save += start.saving()
            start.kill(VICTIMS[kills % len(VICTIMS)])
        code = start.wait()
        assert driver.gone(ranks), "ranks outlive their job"
        if code == 0:
            assert driver.numbers(folder) == unhurt
            assert resumed_from(folder) == from_steps
            finished, from_steps = finished + 1, [None]
            continue
        assert struck, start.text()
        kills += 1
        assert all(sound for _, sound, _ in load.verify(folder))
        assert driver.step(folder) == driver.newest(folder)
        furthest = max(furthest, driver.reached(folder) - driver.newest(folder))
        from_steps = resumed_from(folder) or [None]
        if 0 <= driver.newest(folder) < driver.STEPS:
            from_steps.append(driver.newest(folder))
    assert furthest <= 1
    row(
        "kill -9",
        "2-rank runs killed at random",
        "nothing lost, at most one interval (here: one step) redone, bit-identical",
        kills,
    )
    row("kill -9", "of these, with a state half-written", "the state before it is used", in_save)
    row("kill -9", "the runs, resumed until done", "bit-identical to a run that nobody killed", finished)


def resumed_from(folder) -> list[int | None]:
    """The steps from which the starts of the newest state's chain went on; one that committed nothing left no trace."""
    state = load.latest(folder, lambda text: None)
    return [start["resumed_from"] for start in json.loads(state.attributes["provenance"])] if state else []


def until_the_moment(start: driver.Run, rng) -> bool:
    """Wait for a moment to kill: inside a save, some time after one, or anywhere; False if the job ended first."""
    mood = rng.choice(["in a save", "after a save", "anywhere"], p=[0.5, 0.35, 0.15])
    if mood == "anywhere":
        return start.until(start.later(rng.uniform(0.0, 8.0)))
    goal = driver.newest(start.folder) + int(rng.integers(1, 12))
    if not start.until(lambda: driver.newest(start.folder) >= goal):
        return False
    return start.until(start.saving if mood == "in a save" else start.later(rng.uniform(0.0, 0.3)))
