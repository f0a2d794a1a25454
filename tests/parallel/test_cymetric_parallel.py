"""A run on points of cymetric's file: the same bits on any number of ranks, and as with the points sampled here."""

import pytest
from inside import mpiflow as inside
from inside import refused

from jobs import mpiflow, result, small


@pytest.fixture
def dataset(tmp_path):
    path = tmp_path / "dataset.npz"
    done = inside(["points", str(small(tmp_path)), "-o", str(path)], tmp_path)
    assert done.returncode == 0 and "330 train and 120 test points" in done.stdout, done.stderr
    return path


def test_ranks_do_not_matter_and_points_come_in_their_order(tmp_path, dataset):
    run = ["run", str(small(tmp_path)), "--set", f"points.file={dataset}"]
    assert inside([*run, "-o", "alone"], tmp_path).returncode == 0
    done = mpiflow(*run, "-o", tmp_path / "ranks", ranks=3)
    assert done.returncode == 0, done.stderr
    assert result(tmp_path / "ranks") == (alone := result(tmp_path / "alone"))
    assert inside(["run", "small.toml", "-o", "sampled"], tmp_path).returncode == 0
    assert alone["points/z"] == result(tmp_path / "sampled")["points/z"]


def test_a_file_with_too_few_points_is_refused_before_any_work(tmp_path, dataset):
    words = ("--set", f"points.file={dataset}", "--set", "points.train=331", "-o", tmp_path / "run")
    done = mpiflow("run", small(tmp_path), *words, ranks=2)
    refused(done, f"points.file = '{dataset}'", "331", "330", "[0, 1]")
