"""Studies as jobs: many workers on one, requeued workers, and tune and scaling through submitit without any Slurm."""

import csv

import pytest
from cluster import ROOT, ended, sbatch, scancel, states, until
from inside import refused
from test_submit import slow, submitted

from jobs import mpiflow
from mpiflow.batch.scheduler import over
from mpiflow.state import status
from mpiflow.tune import worker_folder

TUNE = ROOT / "slurm" / "tune.sbatch"
STUDY = """
[run]
name = "study; touch precious"
[points]
train = 80
test = 60
[kernel]
name = "gaussian"
width = 0.4
[flow]
steps = 4
dt = 0.03
normalisation = "row"
[tune]
trials = 6
every = 2
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(STUDY)
    return path


def rows(folder):
    """The trials of a study without what depends on the clock and the workers."""
    with (folder / "trials.csv").open() as file:
        return [{k: v for k, v in row.items() if k not in ("seconds", "worker")} for row in csv.DictReader(file)]


def workers(folder):
    with (folder / "trials.csv").open() as file:
        return {row["worker"] for row in csv.DictReader(file)}


@pytest.mark.slurm
def test_an_array_of_workers_shares_one_study(tmp_path, config):
    job = sbatch(tmp_path, "--array=1-2", "--ntasks-per-node=2", config, "-o", tmp_path / "study", script=TUNE)
    until(lambda: all(map(over, states(job))), 120, "the end of two workers")
    assert states(job) == ["COMPLETED"] * 2, (tmp_path / "log").read_text()
    # The last to end has written down all.
    found = rows(tmp_path / "study")
    assert [row["trial"] for row in found] == list("123456")
    assert {row["state"] for row in found} <= {"complete", "pruned"}
    assert workers(tmp_path / "study") == {f"{job}_1", f"{job}_2"}


@pytest.mark.slurm
def test_a_worker_that_is_stopped_requeues_itself_and_its_study_is_the_same(tmp_path, config):
    assert mpiflow("tune", config, "-o", tmp_path / "whole").returncode == 0
    study = tmp_path / "study"
    job = sbatch(tmp_path, config, "-o", study, script=TUNE, **slow(tmp_path))
    desk = worker_folder(study, job)
    until(lambda: (status.read(desk) or {}).get("step", 0) >= 1, 60, "the first trial")
    scancel("--signal=USR1", job)
    found = ended(job)
    log = (tmp_path / "log").read_text()
    assert (found["JobState"], found["Restarts"]) == ("COMPLETED", "1"), log
    assert "stopped by SIGUSR1" in log
    assert rows(study) == rows(tmp_path / "whole")


def test_workers_of_a_study_are_submitted_without_slurm(tmp_path, config):
    words = (config, "-o", tmp_path / "study", "--tune", 2, "--executor", "local", "--watch")
    _, told = submitted(tmp_path, *words)
    assert told.count("FINISHED") == 2 and "of 6 done" in told
    assert len(rows(tmp_path / "study")) == 6
    assert workers(tmp_path / "study") <= {"worker-0", "worker-1"}


def test_a_study_in_this_process(tmp_path, config):
    _, told = submitted(tmp_path, config, "-o", tmp_path / "study", "--tune", 1, "--executor", "debug")
    assert len(rows(tmp_path / "study")) == 6, told


def test_a_scaling_study_is_submitted_without_slurm(tmp_path, config):
    words = (config, "-o", tmp_path / "study", "--scaling", "1,2", "--repeats", 1, "--executor", "local", "--watch")
    _, told = submitted(tmp_path, *words)
    assert told.count("FINISHED, 1 of 1 done") == 2
    done = mpiflow("scaling", "report", tmp_path / "study")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "study" / "strong-00002" / "repeat-1" / "state-00000004.h5").exists()


def test_studies_that_cannot_be_are_refused(tmp_path, config):
    done = mpiflow("submit", config, "--tune", 2, "--scaling", "1,2")
    refused(done, "--tune", "--scaling")
    done = mpiflow("submit", config, "--scaling", "1,x")
    refused(done, "1,x")
