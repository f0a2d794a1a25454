"""`mpiflow paper table` at a tiny size: tuned by studies that are resumed, measured on points of their own."""

import pytest
from facts import telling

from mpiflow.comm import Comm
from mpiflow.paper import table, tuned


@pytest.fixture
def tiny(monkeypatch):
    for name, value in {"TRIALS": 4, "FINALISTS": 2, "STEPS": 4, "UNSEEN": 60}.items():
        monkeypatch.setattr(tuned, name, value)
    monkeypatch.setattr("mpiflow.tune.picture.draw", lambda path, *rest: path.touch())


def test_kernels_are_tuned_and_measured_and_the_same_twice(tmp_path, tiny):
    lines = []
    rows = table.run(Comm(), tmp_path, 100, lines.append, 1)
    assert [row.kernel for row in rows] == ["Gaussian", "Delta", "ReLU NTK", "Gaussian .05"]
    assert [set(row.values) for row in rows[:2]] == [
        {"flow.dt", "kernel.width", "flow.normalisation", "flow.clip"},
        {"flow.dt", "flow.normalisation", "flow.clip"},
    ]
    assert all(row.points == 100 and row.sets == 5 and row.gain_spread > 0 for row in rows)
    assert [row.defect is None for row in rows] == [False, True, False, False]
    assert rows[3].train > 10 * max(row.gain for row in rows)
    assert len(lines) == 3 + 1 + 4 + 1 and (tmp_path / "table.png").stat().st_size > 10_000
    trials = [path.read_bytes() for path in sorted(tmp_path.rglob("trials.csv"))]
    assert table.run(Comm(), tmp_path, 100, lines.append, 1) == rows
    # Resumed, not run again: their seconds are the same.
    assert [path.read_bytes() for path in sorted(tmp_path.rglob("trials.csv"))] == trials


def test_every_claim_has_its_number_and_its_reason(tmp_path, tiny):
    found = table.claims(table.run(Comm(), tmp_path, 100, lambda line: None, 2))
    assert [claim.paper for claim in found] == ["about 5", "1e+06", "1e+06", "5", "1e+06"]
    assert all(claim.because and claim.ours > 0 for claim in found)


def test_a_study_that_is_stopped_in_time_is_told(tmp_path, tiny, monkeypatch):
    monkeypatch.setattr(tuned, "tune", lambda *words, **more: tuned.RESUBMIT)
    with telling(tuned.Stopped, tmp_path / "table" / "gaussian-100-seed-1"):
        table.run(Comm(), tmp_path, 100, lambda line: None, 1)
