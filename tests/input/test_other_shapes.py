"""JSON of other shapes where ours is looked for: nothing is believed of it, and nothing raised."""

from __future__ import annotations

import json
import mmap
import os

import pytest
from inside import mpiflow as inside
from inside import refused

from jobs import small
from mpiflow.batch import scheduler
from mpiflow.config import read
from mpiflow.job import report
from mpiflow.job.evaluate import Row, plain
from mpiflow.paper import record
from mpiflow.plan import machine
from mpiflow.ranks import launcher, segments
from mpiflow.state import holder, status

ROW = plain(Row("flow", "unseen", 9, 0.1, 2.0, 0.3, 1.0, 0.1, None))
STATUS = {"state": "running", "step": 1, "steps": 2, "exit_code": None, "message": ""}
HOLDER = {"host": "a", "pid": 7, "job": "", "restart": "0"}
#: Texts that are no object of ours, whatever is looked for.
TEXTS = {
    "nothing": "",
    "no JSON": "{",
    "a list": "[]",
    "a number": "3",
    "null": "null",
    "text": '"running"',
    "an empty object": "{}",
    "5000 digits": '{"pid": ' + "9" * 5000 + "}",
    "nested": "[" * 100_000,
    "nested objects": '{"a":' * 50_000,
    "NaN": "NaN",
    "no text": "\udcff",
}
#: One value of ours that is of another kind: whose, its name and the value.
VALUES = [
    ("status", STATUS | change)
    for change in (
        {"state": "perhaps"},
        {"state": None},
        {"state": ["done"]},
        {"step": True},
        {"step": 1.5},
        {"step": "1"},
        {"steps": None},
        {"exit_code": "75"},
        {"exit_code": False},
        {"message": 3},
    )
]
VALUES += [
    ("lock", HOLDER | change) for change in ({"pid": True}, {"pid": -1}, {"pid": 2**31}, {"host": 3}, {"job": None})
]
VALUES += [
    ("summary", {"step": 1, "evaluation": [ROW | change]})
    for change in ({"sigma": "0.1"}, {"gain": []}, {"defect": True}, {"metric": 3}, {"count": 1.5}, {"points": None})
]
VALUES += [("summary", {"step": 1, "evaluation": rows}) for rows in (3, [3], [[]], {"a": 1}, "rows", None, [{}])]


@pytest.fixture
def readers(tmp_path, monkeypatch):
    """Where each kind of file lies, and what reads it: None, or the defaults, for what is not ours."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    settings = read(small(tmp_path))
    (tmp_path / "report").mkdir()
    kept = machine._path(settings)
    kept.parent.mkdir(parents=True)
    return {
        "status": (tmp_path / "status.json", lambda: status.read(tmp_path)),
        "lock": (tmp_path / holder.LOCK, lambda: holder.holder(tmp_path)),
        "summary": (tmp_path / "report" / "summary.json", lambda: report.read(tmp_path)),
        "record": (tmp_path / "noise.json", lambda: record.read(tmp_path / "noise.json")),
        "machine": (kept, lambda: None if machine.load(settings) == machine.Machine() else "believed"),
    }


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("name", ["status", "lock", "summary", "record", "machine"])
def test_text_of_another_shape_is_not_ours(readers, name, text):
    path, ask = readers[name]
    path.write_text(text, errors="surrogateescape")
    assert ask() is None


@pytest.mark.parametrize("name, value", VALUES, ids=lambda value: str(value)[:50])
def test_a_value_of_another_kind_is_not_ours(readers, name, value):
    path, ask = readers[name]
    path.write_text(json.dumps(value))
    assert ask() is None


@pytest.mark.parametrize("change", [{"entry": "1"}, {"entry": None}, {"line": True}, {"origin": 3}, {"more": 1}])
def test_a_measurement_of_another_kind_is_not_ours(readers, change):
    path, ask = readers["machine"]
    path.write_text(json.dumps(vars(machine.Machine()) | change))
    assert ask() is None


def test_what_is_ours_is_believed(readers):
    for name, value in (("status", STATUS), ("lock", HOLDER), ("summary", {"step": 1, "evaluation": [ROW]})):
        path, ask = readers[name]
        path.write_text(json.dumps(value))
        assert ask() is not None
    path, ask = readers["machine"]
    path.write_text(json.dumps(vars(machine.Machine()) | {"entry": 1.0}))
    assert ask() == "believed"


@pytest.mark.parametrize(
    "text",
    [
        "{}\n",
        "[]\n",
        "3\n",
        "null\n",
        '{"op_code": 0}\n',
        '{"op_code": "0", "worker_id": 3}\n',
        "[" * 100_000 + "\n",
        '"' * 3 + "\n",
    ],
)
def test_a_journal_of_another_shape_is_one_line(tmp_path, text):
    pytest.importorskip("optuna")
    small(tmp_path)
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "study.journal").write_text(text)
    refused(inside("tune small.toml -o study", tmp_path), "study/study.journal", "-o")


def test_what_the_system_says_may_be_any_bytes(tmp_path, monkeypatch):
    """Names of files are bytes, and so are those of jobs, whatever the locale."""
    script = tmp_path / "scontrol"
    script.write_bytes(b"#!/bin/sh\nprintf 'JobId=7 JobName=\\377 EndTime=2026-01-01T00:00:00'\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert scheduler.facts("7")["EndTime"] == "2026-01-01T00:00:00"
    name = os.fsencode(tmp_path) + b"/mpich_shm_\xff"
    with open(name, "wb+") as file:
        file.write(b"x")
        file.flush()
        with mmap.mmap(file.fileno(), 1):
            assert "mpich_shm_" in segments._mapped()
            assert launcher.library() is not None


def test_a_holder_that_may_not_be_asked_is_not_gone(monkeypatch):
    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    assert not holder.gone(HOLDER | {"host": holder.this_process()["host"]}, None)
