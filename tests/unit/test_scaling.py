"""Scaling studies: what they measure, what they refuse to conclude, and the files they leave."""

import csv
import signal
import sys
import time
from dataclasses import replace

import h5py
import numpy as np
import pytest
from facts import telling
from inside import mpiflow as inside

from jobs import JOBS, mpiflow, small
from mpiflow.batch import supervise
from mpiflow.batch.order import Order
from mpiflow.config import read
from mpiflow.errors import RESUBMIT, InputError, Stopped
from mpiflow.scaling import measured, model, runs
from mpiflow.scaling.measured import STAGES, Point


def point(ranks, step, entries=1e8, oversubscribed=False):
    settings = read(JOBS / "scaling-strong.toml")
    return Point(ranks, 5, oversubscribed, step, step, step, entries, dict.fromkeys(STAGES, 1.0), settings)


def test_efficiency_is_work_a_rank_and_second():
    assert measured.efficiency(point(4, 0.3), point(1, 1.0)) == pytest.approx(1 / 1.2)
    assert measured.efficiency(point(4, 1.1, entries=4e8), point(1, 1.0)) == pytest.approx(1 / 1.1)


def test_oversubscribed_points_have_no_efficiency():
    assert np.isnan(measured.efficiency(point(4, 0.3, oversubscribed=True), point(1, 1.0)))


def test_the_model_states_its_error_and_goes_to_1024_gpus():
    found = model.predicted([point(1, 1.0), point(2, 0.52), point(64, 9.0, oversubscribed=True)])
    assert found.efficiency[0] == pytest.approx(1) and 0.9 < found.efficiency[1] <= 1
    assert 0 < found.error < 0.1
    assert list(found.gpus)[-1] == 1024 and all(0 <= value <= 1 for value in found.gpus.values())


def test_on_gpus_a_weak_study_keeps_the_work_of_each():
    first = replace(point(1, 1.0), settings=read(JOBS / "scaling-weak.toml", ["points.train=400000"]))
    second = replace(point(2, 1.0, entries=2e8), settings=read(JOBS / "scaling-weak.toml", ["points.train=800000"]))
    strong, weak = model.predicted([first, first]), model.predicted([first, second])
    assert (strong.weak, weak.weak) == (False, True)
    assert weak.gpus[2] > 0.9 and weak.gpus[1024] > 2 * strong.gpus[1024]


def test_potentials_scale_by_points(tmp_path):
    assert "points.train=4000" in runs.point_keys(read(JOBS / "kaehler.toml"), "weak", 4)
    words = (
        "--set",
        "kernel.degree=4",
        "--set",
        "points.train=512",
        "--set",
        "points.test=64",
        "--set",
        "flow.steps=2",
    )
    done = mpiflow("scaling", JOBS / "kaehler.toml", "-o", tmp_path, "--ranks", "1", "--repeats", 1, *words)
    assert done.returncode == 0, done.stderr
    assert "model is off by" in done.stdout
    assert [m.entries for m in measured.found([tmp_path])] == [512.0]


def test_weak_scaling_keeps_the_work_of_a_rank():
    loose, exact = read(JOBS / "scaling-weak.toml"), read(JOBS / "scaling-strong.toml")
    assert {"points.train=16384", "clusters.count=8"} <= set(runs.point_keys(loose, "weak", 4))
    assert "points.train=16384" in runs.point_keys(exact, "weak", 4)
    assert not any("points" in key for key in runs.point_keys(exact, "strong", 4))


def test_a_study_leaves_table_picture_and_files(tmp_path):
    words = ("scaling", small(tmp_path), "-o", tmp_path / "study", "--ranks", "1,2", "--repeats", 1)
    done = mpiflow(*words, "--set", "flow.steps=2")
    assert done.returncode == 0, done.stderr
    assert "efficiency" in done.stdout and "1024" in done.stdout and "model is off by" in done.stdout
    with h5py.File(tmp_path / "study" / "study.h5") as study:
        assert study["ranks"][()].tolist() == [1, 2] and study["seconds"].shape == (2, len(STAGES))
        assert (study["seconds"][:, list(STAGES).index("flow")] > 0).all()
    rows = list(csv.DictReader((tmp_path / "study" / "scaling.csv").open()))
    assert [row["ranks"] for row in rows] == ["1", "2"]
    assert (tmp_path / "study" / "extra-p.txt").read_text().startswith("PARAMETER p\nPOINTS 1")
    assert (tmp_path / "study" / "scaling.png").read_bytes().startswith(b"\x89PNG")
    again = inside([*map(str, words), "--set", "flow.steps=2"], tmp_path)
    assert again.returncode == 0 and "repeat 1 of 1" not in again.stdout
    assert inside("scaling report study/strong-00001", tmp_path).returncode == 0


def test_a_study_of_nothing_is_refused(tmp_path):
    with telling(InputError, tmp_path):
        measured.found([tmp_path])
    for words in (("--mode", "sideways"), ("--ranks", "1,x"), ("--ranks", "0,1")):
        assert inside(["scaling", str(small(tmp_path)), "-o", "s", *words], tmp_path).returncode == 2


#: A launcher that passes no signal on while it starts ranks, and then the next one.
_STARTING = """
import pathlib, signal, sys, time
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
pathlib.Path(sys.argv[1]).touch()
time.sleep(0.3)
signal.signal(signal.SIGUSR1, lambda *_: sys.exit(75))
time.sleep(20)
"""


def test_a_wish_to_stop_outlives_the_start_of_the_ranks(tmp_path, monkeypatch):
    monkeypatch.setattr(supervise, "_AGAIN", 2)
    launcher = [sys.executable, "-c", _STARTING, str(tmp_path / "started")]
    supervisor = supervise.Supervisor(launcher, Order(small(tmp_path), tmp_path / "run"), True)
    supervisor.start()
    while not (tmp_path / "started").exists():
        time.sleep(0.01)
    supervisor.ask_to_stop()
    assert supervisor.wait() == RESUBMIT


def test_a_wish_to_stop_between_two_runs_ends_the_study(tmp_path, monkeypatch):
    begun = []

    class Quick(supervise.Supervisor):
        def start(self):
            begun.append(self.folder)

        def wait(self):
            signal.raise_signal(signal.SIGTERM)
            return 0

    monkeypatch.setattr(runs, "Supervisor", Quick)
    before = [(number, signal.getsignal(number)) for number in (signal.SIGUSR1, signal.SIGTERM)]
    try:
        with pytest.raises(Stopped, match="repeat-1: stopped before this run; the study goes on from there"):
            runs.measure(Order(small(tmp_path), tmp_path / "study"), "strong", [1, 2], 5, print)
    finally:
        for number, handler in before:
            signal.signal(number, handler)
    assert len(begun) == 1
