"""Scaling studies: what they measure, what they refuse to conclude, and the files they leave."""

import csv
from dataclasses import replace

import h5py
import numpy as np
import pytest
from facts import telling
from inside import mpiflow as inside

from jobs import JOBS, mpiflow, small
from mpiflow.config import read
from mpiflow.errors import InputError
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
