"""Commits of a job with several ranks: all ranks learn of a failure together, none waits for ever."""

from __future__ import annotations

import errno
import os
from types import SimpleNamespace

import pytest
from facts import telling
from faulty import OPERATIONS, Faulty
from states import same, small_arrays

from mpiflow import clock
from mpiflow.comm import world
from mpiflow.errors import NumericalError, WriteError
from mpiflow.job.snapshot import Snapshot
from mpiflow.state import load
from mpiflow.state.commit import Writer


def arrays(step):
    return small_arrays(step) if world().rank == 0 else None


@pytest.mark.parallel([2])
def test_arrays_count_on_rank_0_alone(shared_path):
    writer = Writer(world(), shared_path)
    writer.submit(1, arrays(1), {})
    writer.settle()
    assert same(load.latest(shared_path, pytest.fail).arrays, small_arrays(1))


@pytest.mark.parallel([2])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_failing_disk_is_learnt_by_all_ranks(shared_path, operation):
    Writer(world(), shared_path).settle()
    good = Writer(world(), shared_path)
    good.submit(1, arrays(1), {})
    good.settle()
    bad = Writer(world(), shared_path, files=Faulty(operation, 1, errno.ENOSPC))
    bad.submit(2, arrays(2), {})
    with telling(WriteError, "state-00000002.h5", os.strerror(errno.ENOSPC)):
        bad.settle()
    world().barrier()
    assert same(load.read(shared_path / "state-00000001.h5").arrays, small_arrays(1))


@pytest.mark.parallel([2])
def test_a_nan_is_learnt_by_all_ranks(shared_path):
    broken = arrays(1)
    if broken:
        broken["history/loss"][0] = float("nan")
    with pytest.raises(NumericalError):
        Writer(world(), shared_path).submit(1, broken, {})


@pytest.mark.parallel([2])
def test_a_rank_that_did_more_before_the_run_holds_up_no_other(monkeypatch):
    """A script may have run something on one rank alone: no part of this run, and no reason to wait for ever."""
    monkeypatch.setattr(clock, "parts", {"merge": 5.0, "kernel": 5.0, "cluster": 1.0})
    earlier = dict(clock.parts)
    clock.parts["kernel"] += 1.0 + world().rank
    if world().rank == 1:
        clock.parts["merge"] += 2.0
    history = SimpleNamespace(arrays=dict)
    made = SimpleNamespace(comm=world(), config=None, constant=dict, gathered=dict, history=history)
    found = Snapshot(made, None).arrays(clock.since(earlier))
    assert (found is None) == (world().rank == 1)
    if found:
        seconds = {name: list(each) for name, each in found.items() if name.startswith("timing/")}
        assert seconds == {"timing/kernel": [1.0, 2.0], "timing/merge": [0.0, 2.0]}
