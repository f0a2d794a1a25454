"""Files of every released schema are read for ever; files of the future are refused clearly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from facts import telling
from states import same, shape

from mpiflow.state import commit, load, naming, schema
from mpiflow.state.upgrade import NewerStateError

DATA = Path(__file__).parent / "data"


def counted_arrays() -> dict[str, np.ndarray]:
    """What the frozen files hold: every number is its own place in its array."""
    names = [*schema.LAYOUT, "timing/flow"]
    return {name: _counted(schema.field(name)) for name in names}


def _counted(field: schema.Field) -> np.ndarray:
    count = np.arange(np.prod(shape(field))).reshape(shape(field))
    if "i" in field.kinds:
        return count
    return count / 7 - 1j * count / 3 if "c" in field.kinds else count / 7


def test_a_frozen_state_of_schema_1_is_read(row):
    state = load.read(DATA / "schema-1.h5")
    assert state.step == 20 and state.attributes["config"] == 'run.name = "frozen"'
    expected = counted_arrays()
    assert same(state.arrays, {name: expected[name] for name in state.arrays})
    assert len(state.arrays) >= 23
    row("old schema", "frozen file of schema 1", "read, every value as frozen")


def test_what_is_newer_than_schema_1_needs_no_other(tmp_path, row):
    """Charts of any width, grids, and what a method of a user's keeps have had a place in schema 1, or got one of their own."""
    arrays = {
        "points/chart": np.arange(15, dtype=np.int8).reshape(3, 5),
        "method/metric": np.arange(24.0).reshape(4, 2, 3),
        "history/volume": np.arange(2.0),
        "features/anything": np.arange(4),
    }
    commit.write(tmp_path, 1, arrays, {})
    state = load.latest(tmp_path, pytest.fail)
    assert state.attributes["schema"] == schema.SCHEMA == 1 and same(state.arrays, arrays)
    row("old schema", "wide charts, grids and methods", "written and read as schema 1")


def test_a_state_from_the_future_is_refused(tmp_path, monkeypatch, row):
    commit.write(tmp_path, 1, {}, {})
    with monkeypatch.context() as future:
        future.setattr(schema, "SCHEMA", schema.SCHEMA + 1)
        commit.write(tmp_path, 2, {}, {})
    with telling(NewerStateError, naming.state_path(tmp_path, 2), schema.SCHEMA + 1, "`mpiflow info`"):
        load.latest(tmp_path, pytest.fail)
    assert [sound for _, sound, _ in load.verify(tmp_path)] == [True, False]
    row("newer schema", "a file of the next schema", "refused clearly, nothing older used in its place")
