"""`mpiflow submit` through submitit: on a real Slurm, where it is preempted, and as a local process, without any."""

import os
import re
import signal
import subprocess

import pytest
from cluster import SLOW_AT_FIRST, ended, environment, started, until

from jobs import BIN, mpiflow, result


def submitted(folder, *words, **extra):
    """Submit with `mpiflow submit`; returns the id of the job and what was printed."""
    command = [str(word) for word in (BIN / "mpiflow", "submit", *words)]
    # Into a file: a local job keeps the output of the command that submitted it open.
    with (folder / "told").open("w+") as told:
        done = subprocess.run(command, stdout=told, stderr=told, env=environment(**extra), check=False, timeout=180)
    text = (folder / "told").read_text()
    assert done.returncode == 0, text
    return re.search(r"^job +(\S+)", text, re.MULTILINE)[1], text


def slow(folder):
    (folder / "site").mkdir()
    (folder / "site" / "sitecustomize.py").write_text(SLOW_AT_FIRST.replace("SECONDS", "1"))
    return {"PYTHONPATH": folder / "site"}


@pytest.mark.slurm
def test_a_preempted_job_resumes(local, tmp_path):
    config, expected = local
    run = tmp_path / "run"
    words = ("--nodes", 2, "--tasks-per-node", 1, "--partition", "low", "--time", 10)
    job, _ = submitted(tmp_path, config, "-o", run, *words, **slow(tmp_path))
    started(job, run)
    urgent = ["sbatch", "--parsable", "-p", "high", "-N3", "--exclusive", "-o", "/dev/null", "--wrap", "sleep 1"]
    first = subprocess.run(urgent, capture_output=True, text=True, env=environment(), check=True).stdout.strip()
    assert ended(first)["JobState"] == "COMPLETED"
    found = ended(job, 120)
    log = "".join(path.read_text() for path in (run / "submitit").glob(f"{job}*log.*"))
    assert found["JobState"] == "COMPLETED" and int(found["Restarts"]) >= 1, log
    assert "the state is saved" in log and "resumed from step" in log
    after = result(run)
    assert [name for name in expected if after[name] != expected[name]] == []


def test_a_local_job_needs_no_slurm(local, tmp_path):
    config, expected = local
    words = ("--executor", "local", "--tasks-per-node", 2, "--watch", "--set", "run.name=x; rm -rf ~")
    _, told = submitted(tmp_path, config, "-o", tmp_path / "x; rm -rf ~", *words, HOME=tmp_path)
    assert "FINISHED, state of step 12 of 12" in told
    after = result(tmp_path / "x; rm -rf ~")
    assert [name for name in expected if after[name] != expected[name]] == []


def test_a_local_job_that_is_interrupted_goes_on(local, tmp_path):
    config, expected = local
    job, _ = submitted(tmp_path, config, "-o", tmp_path / "run", "--executor", "local", **slow(tmp_path))
    until(lambda: (tmp_path / "run" / "state-00000000.h5").exists(), 60, "the first state")
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", job], capture_output=True, text=True, check=True).stdout
    os.kill(int(children.split()[0]), signal.SIGUSR2)
    until(lambda: (tmp_path / "run" / "report" / "summary.json").exists(), 90, "the end of the run")
    log = (tmp_path / "run" / "submitit" / f"{job}_0_log.out").read_text()
    assert "the state is saved" in log and "resumed from step" in log
    after = result(tmp_path / "run")
    assert [name for name in expected if after[name] != expected[name]] == []


def test_wrong_input_is_refused_before_anything_is_submitted(local, tmp_path):
    for executor in ("slurm", "local"):
        done = mpiflow("submit", local[0], "-o", tmp_path / "run", "--executor", executor, "--set", "flow.dt=-1")
        assert done.returncode == 2 and "flow.dt = -1" in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()
