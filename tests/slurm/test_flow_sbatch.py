"""slurm/flow.sbatch against a real Slurm: many nodes, arrays, chains, and input that is wrong."""

import pytest
from cluster import ended, sbatch, states, until

from jobs import result
from mpiflow.batch.scheduler import over

pytestmark = pytest.mark.slurm


@pytest.mark.parametrize("launcher", ["", "srun --mpi=pmi2 --kill-on-bad-exit=1"])
def test_two_nodes_of_two_tasks_give_the_bits_of_one_rank(local, tmp_path, launcher):
    config, expected = local
    job = sbatch(
        tmp_path, "-N2", "--ntasks-per-node=2", config, "-o", tmp_path / "run", "--log-all", MPIFLOW_LAUNCHER=launcher
    )
    found = ended(job)
    assert (found["JobState"], found["NumNodes"]) == ("COMPLETED", "2"), (tmp_path / "log").read_text()
    assert "on 4 ranks" in (tmp_path / "log").read_text()
    assert len(list((tmp_path / "run" / "log").glob("rank-*.log"))) == 4
    after = result(tmp_path / "run")
    assert [name for name in expected if after[name] != expected[name]] == []


def test_a_wrong_pmi_is_refused_and_not_requeued(local, tmp_path):
    job = sbatch(tmp_path, "--ntasks-per-node=2", local[0], "-o", tmp_path / "run", MPIFLOW_LAUNCHER="srun --mpi=none")
    found = ended(job)
    assert (found["JobState"], found["ExitCode"], found["Restarts"]) == ("FAILED", "2:0", "0")
    assert "every rank would run alone" in (tmp_path / "log").read_text()


def test_wrong_input_fails_at_once_with_the_clear_error(local, tmp_path):
    job = sbatch(tmp_path, local[0], "-o", tmp_path / "run", "--set", "flow.dt=-1")
    found = ended(job)
    assert (found["JobState"], found["ExitCode"], found["Restarts"]) == ("FAILED", "2:0", "0")
    assert (tmp_path / "log").read_text().strip().splitlines()[-1].startswith("mpiflow: error: ")
    assert "flow.dt = -1" in (tmp_path / "log").read_text()
    assert not (tmp_path / "run").exists()


def test_an_array_of_four_runs_has_four_seeds(local, tmp_path):
    words = ("--set", "run.seed={task}", "--set", "flow.steps=2", "-o", tmp_path / "seed-{task}")
    job = sbatch(tmp_path, "--array=1-4%2", local[0], *words)
    until(lambda: all(map(over, states(job))), 90, "the end of four tasks")
    assert states(job) == ["COMPLETED"] * 4
    found = [result(tmp_path / f"seed-{task}")["points/z"] for task in range(1, 5)]
    assert len(set(found)) == 4


def test_a_chain_of_jobs_goes_on_from_the_one_before(local, tmp_path):
    config, expected = local
    first = sbatch(tmp_path, config, "-o", tmp_path / "run", "--set", "flow.steps=5")
    second = sbatch(tmp_path, f"--dependency=afterok:{first}", config, "-o", tmp_path / "run")
    assert ended(second)["JobState"] == "COMPLETED"
    assert "resumed from step 5 of 12" in (tmp_path / "log").read_text()
    after = result(tmp_path / "run")
    assert [name for name in expected if after[name] != expected[name]] == []


def test_a_run_may_have_a_hostile_name(local, tmp_path):
    (tmp_path / "precious").touch()
    name = "x; rm -rf ~; $(touch ~/pwned) `touch ~/pwned` && 'quoted\" *"
    words = ("-o", tmp_path / name.replace("/", ":"), "--set", f"run.name={name}", "--set", "flow.steps=2")
    job = sbatch(tmp_path, local[0], *words, HOME=tmp_path)
    assert ended(job)["JobState"] == "COMPLETED", (tmp_path / "log").read_text()
    assert (tmp_path / "precious").exists() and not (tmp_path / "pwned").exists()
