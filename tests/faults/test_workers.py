"""Workers of a study are killed and stopped; their study is not."""

import csv
import os
import signal
import subprocess
import time

import pytest
from inside import mpiflow as inside

from jobs import BIN, mpiflow

STUDY = """
[points]
train = 200
test = 100
[kernel]
name = "gaussian"
width = 0.4
[flow]
steps = 10
dt = 0.03
normalisation = "row"
[tune]
trials = 8
every = 2
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(STUDY)
    return path


def started(config, study, worker):
    command = [BIN / "mpiflow", "tune", config, "-o", study, "--worker", worker]
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, env=env)


def in_a_trial(study, worker):
    """Wait until a worker is at work on a trial."""
    journal, end = study / "study.journal", time.monotonic() + 60
    while not journal.exists() or f'"worker":"{worker}"' not in journal.read_text():
        assert time.monotonic() < end, "no trial began in a minute"
        time.sleep(0.02)


def rows(study):
    with (study / "trials.csv").open() as file:
        return [{k: v for k, v in row.items() if k not in ("seconds", "worker")} for row in csv.DictReader(file)]


def test_the_trial_of_a_killed_worker_is_done_by_another(tmp_path, config):
    # So many trials that the first worker is not done before the second begins.
    config.write_text(STUDY.replace("trials = 8", "trials = 80"))
    study = tmp_path / "study"
    first = started(config, study, "first")
    in_a_trial(study, "first")
    second = started(config, study, "second")
    in_a_trial(study, "second")
    first.kill()
    first.wait()
    assert second.wait(120) == 0
    found = rows(study)
    assert [row["trial"] for row in found] == [str(number) for number in range(1, 81)]
    assert {row["state"] for row in found} <= {"complete", "pruned"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The trials of the study that nobody hurt."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "study.toml").write_text(STUDY)
    assert inside("tune study.toml -o study", folder).returncode == 0
    return rows(folder / "study")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGUSR1, signal.SIGKILL])
def test_a_worker_that_ended_goes_on_with_the_same_study(tmp_path, config, whole, how):
    study = tmp_path / "study"
    worker = started(config, study, "one")
    in_a_trial(study, "one")
    worker.send_signal(how)
    assert worker.wait(60) == (-signal.SIGKILL if how == signal.SIGKILL else 75)
    done = mpiflow("tune", config, "-o", study, "--worker", "one", ranks=2)
    assert done.returncode == 0, done.stderr
    assert rows(study) == whole


def test_a_time_limit_stops_between_trials(tmp_path, config):
    done = mpiflow("tune", config, "-o", tmp_path / "study", "--max-time", "0.1")
    assert done.returncode == 75 and "the time limit" in done.stdout
    done = mpiflow("tune", config, "-o", tmp_path / "study", "--trials", "2")
    assert done.returncode == 0 and "2 complete" in done.stdout
    assert "no trial is left" in mpiflow("tune", config, "-o", tmp_path / "study", "--trials", "2").stdout
