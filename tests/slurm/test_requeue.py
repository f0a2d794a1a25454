"""Jobs that end before their work does: time limits, signals, cancellation, and the guard against going in circles."""

import pytest
from cluster import SLOW_AT_FIRST, ended, facts, sbatch, scancel, started

from jobs import result

pytestmark = pytest.mark.slurm


@pytest.fixture
def slow(tmp_path):
    """An environment in which each step of a job's first start takes some seconds."""

    def made(seconds):
        (tmp_path / "site").mkdir()
        (tmp_path / "site" / "sitecustomize.py").write_text(SLOW_AT_FIRST.replace("SECONDS", str(seconds)))
        return {"PYTHONPATH": tmp_path / "site"}

    return made


def finished(job, run, expected, log):
    """The job was requeued once, by itself, and ended with the bits of a run that was never stopped."""
    found = ended(job)
    assert (found["JobState"], found["Restarts"]) == ("COMPLETED", "1"), log.read_text()
    assert "the state is saved" in log.read_text() and "resumed from step" in log.read_text()
    after = result(run)
    assert [name for name in expected if after[name] != expected[name]] == []


def test_a_time_limit_shorter_than_the_work_costs_nothing(local, tmp_path, slow):
    # Twelve steps of six seconds do not fit into a minute. Slurm looks at its clock every 30 s, so that its warning comes
    # half a minute early, or the ranks see the end come before.
    config, expected = local
    words = ("-t", "1", "--signal=USR1@1", "--ntasks-per-node=2", config, "-o", tmp_path / "run")
    job = sbatch(tmp_path, *words, **slow(6))
    finished(job, tmp_path / "run", expected, tmp_path / "log")
    log = (tmp_path / "log").read_text()
    assert "by SIGUSR1" in log or "by the time limit" in log


@pytest.mark.parametrize("whom", [[], ["--batch"]], ids=["ranks", "batch script"])
def test_a_signal_saves_and_goes_on(local, tmp_path, slow, whom):
    config, expected = local
    job = sbatch(tmp_path, "-N2", "--ntasks-per-node=1", config, "-o", tmp_path / "run", **slow(1))
    started(job, tmp_path / "run")
    scancel("--signal=USR1", *whom, job)
    finished(job, tmp_path / "run", expected, tmp_path / "log")


def test_a_cancelled_job_is_saved_and_not_requeued(local, tmp_path, slow):
    job = sbatch(tmp_path, local[0], "-o", tmp_path / "run", **slow(1))
    started(job, tmp_path / "run")
    scancel(job)
    found = ended(job)
    assert (found["JobState"], found["Restarts"]) == ("CANCELLED", "0")
    assert "the state is saved" in (tmp_path / "log").read_text()
    assert "not requeued" in (tmp_path / "log").read_text()


def test_a_job_that_comes_no_further_is_given_up_after_three_restarts(local, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import os\n"
        "if 'PMI_RANK' in os.environ:\n"
        "    from mpiflow.job import triggers\n"
        "    triggers.Triggers._asked = lambda self, step: 'a test'\n"
    )
    job = sbatch(tmp_path, local[0], "-o", tmp_path / "run", PYTHONPATH=tmp_path)
    found = ended(job, 120)
    assert (found["JobState"], found["ExitCode"], found["Restarts"]) == ("FAILED", "75:0", "3")
    assert "3 restarts came no further than step 0" in (tmp_path / "log").read_text()
    assert facts(job)["Requeue"] == "1"
