"""A study takes every place once, survives its workers, and is the same study after any interruption."""

import csv
import subprocess
import sys

import optuna
import pytest
from facts import telling

from mpiflow import streams
from mpiflow.comm import Comm, world
from mpiflow.config import check, read
from mpiflow.errors import InputError
from mpiflow.screen import Screen
from mpiflow.state import status
from mpiflow.state.lock import RunLock
from mpiflow.tune import desk, journal, space, study, variant, worker, worker_folder
from mpiflow.tune.places import finished
from mpiflow.tune.trial import Outcome

OUTCOME = Outcome(0.1, 3.0, 4.0, 1.0, 0.5)
METHODS = {name: {"kernel": {"name": name}} for name in ("delta", "relu", "kaehler")} | {
    "gaussian": {"kernel": {"name": "gaussian", "width": 0.4}},
    "network": {"network": {"kind": "multiplicative"}},
}


@pytest.fixture(autouse=True)
def _no_picture(request, monkeypatch):
    """Pictures take longer than the studies here: one test draws them."""
    if "any_ranks" not in request.node.name:
        monkeypatch.setattr("mpiflow.tune.picture.draw", lambda path, *rest: path.touch())


def small(**tune):
    """A run of a tenth of a second, with a [tune] table."""
    return check(
        {
            "points": {"train": 60, "test": 40},
            "kernel": {"name": "gaussian", "width": 0.4},
            "flow": {"dt": 0.03, "steps": 6, "normalisation": "row"},
            "tune": {"trials": 8, "every": 2, **tune},
        },
        "small",
    )


def tuned(folder, settings=None, comm=None):
    """Work on a study; returns the exit code and the rows of its CSV without what depends on the clock."""
    code = study.tune(comm or Comm(), settings or small(), folder, Screen(quiet=True), worker="one")
    with (folder / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    return code, [{k: v for k, v in row.items() if k not in ("seconds", "worker")} for row in rows]


def at_desk(folder, name, total=3):
    """A desk whose folder nobody has locked: its worker is dead to the others."""
    settings = small()
    searched = space.dimensions(settings.moved_by.space, None)
    worker_folder(folder, name).mkdir(parents=True, exist_ok=True)
    held = journal.opened(folder, settings, searched, 1)
    return desk.Desk(held, searched, total, worker_folder(folder, name))


@pytest.mark.parametrize("method", METHODS)
def test_the_usual_space_of_each_kernel_is_allowed_by_its_run_file(method):
    settings = check(METHODS[method] | {"flow": {"dt": 0.01}}, method)
    assert settings.method == method
    variant.check(settings, space.dimensions(settings.moved_by.space, None), method)


@pytest.mark.parametrize(
    ("table", "facts"),
    [
        ({"flow.dt": [0.3, 0.1]}, ("tune.space.flow.dt = [0.3, 0.1]",)),
        ({"dt": [0.1, 0.3]}, ("tune.space.dt", '"section.key"')),
        ({"flow.dt": []}, ("tune.space.flow.dt = []",)),
        ({}, ("tune.space",)),
    ],
)
def test_a_wrong_space_is_told_with_its_cure(table, facts):
    with telling(InputError, *facts):
        small(space=table)


def test_a_key_that_no_run_file_has_is_refused_before_any_trial(tmp_path):
    with telling(InputError, "tune.space", "kernel.breadth", "name, rescale, width"):
        tuned(tmp_path, small(space={"kernel.breadth": [0.1, 0.5]}))
    with telling(InputError, "tune.space", "flow.dt = -1.0"):
        tuned(tmp_path, small(space={"flow.dt": [-1.0, 0.5]}))
    assert not (tmp_path / "study.journal").exists()


def test_no_state_remembers_the_study():
    assert "tune" not in small().text()


@pytest.mark.parallel([1, 2])
def test_a_study_is_the_same_twice_and_on_any_ranks(shared_path):
    _, alone = tuned(shared_path / f"alone-{world().rank}")
    code, rows = tuned(shared_path / "study", comm=world())
    assert code == 0 and len(rows) == 8
    assert rows == alone
    assert len({row["flow.dt"] for row in rows}) == 8
    for name in ("study.png", "best.toml"):
        assert (shared_path / "study" / name).stat().st_size > 300


@pytest.mark.parametrize(("objective", "first"), [("gain", max), ("sigma", min)])
def test_the_best_run_file_is_that_of_the_best_trial(tmp_path, objective, first):
    _, rows = tuned(tmp_path, small(objective=objective))
    complete = [row for row in rows if row["state"] == "complete"]
    assert all(row["value"] == row[objective] for row in complete)
    best = first(complete, key=lambda row: float(row["value"]))
    found = read(tmp_path / "best.toml")
    assert (found.flow.dt, found.kernel.width) == (float(best["flow.dt"]), float(best["kernel.width"]))
    assert found.run.seed == 1 and found.run.name == "run-tuned"


def test_a_study_begins_where_its_run_file_is(tmp_path):
    first, second = tuned(tmp_path, small(trials=2))[1]
    keys = ("flow.dt", "kernel.width", "flow.normalisation")
    assert [first[key] for key in keys] == ["0.03", "0.4", "row"]
    # The run file has no clip, which is the highest there is.
    assert first["flow.clip"] == "100.0" and second["flow.dt"] != "0.03"


def test_every_trial_has_points_of_its_own():
    seeds = [streams.study(1, place) for place in range(1000)] + [streams.study(2, place) for place in range(1000)]
    assert len(set(seeds)) == 2000 and all(0 <= seed < 2**63 for seed in seeds)


@pytest.mark.parametrize("calls", [1, 7, 12])
def test_a_stopped_study_goes_on_as_if_it_had_not_been(tmp_path, monkeypatch, calls):
    _, whole = tuned(tmp_path / "whole")
    decide, left = worker.Triggers.decide, [calls]

    def soon(self, step, seconds):
        left[0] -= 1
        decision = decide(self, step, seconds)
        return decision if left[0] >= 0 else decision._replace(stop="a test")

    with monkeypatch.context() as patched:
        patched.setattr(worker.Triggers, "decide", soon)
        code, part = tuned(tmp_path / "part")
        assert code == 75 and sum(row["state"] in ("complete", "pruned") for row in part) < 8
    code, rows = tuned(tmp_path / "part")
    assert code == 0 and rows == whole


def test_more_trials_go_on_and_other_settings_do_not(tmp_path):
    _, long = tuned(tmp_path / "long")
    tuned(tmp_path / "short", small(trials=5))
    assert tuned(tmp_path / "short")[1] == long
    with telling(InputError, tmp_path / "short", "tune.every: 2 -> 3"):
        tuned(tmp_path / "short", small(every=3))


def test_two_workers_never_share_a_place(tmp_path):
    with RunLock(_made(tmp_path, "one")), RunLock(_made(tmp_path, "two")):
        one, two = at_desk(tmp_path, "one"), at_desk(tmp_path, "two")
        tasks = [one.next(), two.next()]
        one.tell(OUTCOME, "gain", 1.0)
        tasks.append(one.next())
        assert at_desk(tmp_path, "three").next() is None and [task.place for task in tasks] == [0, 1, 2]
        assert len({task.values["flow.dt"] for task in tasks}) == 3


def test_the_trial_of_a_dead_worker_is_tried_again(tmp_path):
    lost = at_desk(tmp_path, "dead").next()
    alive = at_desk(tmp_path, "alive")
    assert alive.next() == lost
    alive.tell(OUTCOME, "gain", 1.0)
    assert alive.next().place == 1 and finished(alive.trials()) == 1


def test_a_place_that_kills_its_workers_is_left_in_the_end(tmp_path):
    places = [at_desk(tmp_path, f"dead-{number}", total=1).next() for number in range(desk.RETRIES + 2)]
    assert [task and task.place for task in places] == [0] * (desk.RETRIES + 1) + [None]
    assert finished(at_desk(tmp_path, "alive", total=1).trials()) == 1


def test_a_worker_taken_for_dead_does_not_count_twice(tmp_path):
    slow = at_desk(tmp_path, "slow", total=1)
    slow.next()
    other = at_desk(tmp_path, "other", total=1)
    other.next()
    assert "taken for dead" in slow.tell(OUTCOME, "gain", 1.0)
    other.tell(OUTCOME, "gain", 1.0)
    assert [trial.state.name for trial in other.trials()] == ["FAIL", "COMPLETE"]


def test_a_line_that_a_worker_died_in_is_cut_off(tmp_path):
    _, whole = tuned(tmp_path / "whole")
    tuned(tmp_path / "torn", small(trials=4))
    with (tmp_path / "torn" / "study.journal").open("a") as file:
        file.write('{"op_code": 4, "wor')
    assert tuned(tmp_path / "torn")[1] == whole


def test_a_trial_that_fails_is_given_back_and_told(tmp_path, monkeypatch):
    _, whole = tuned(tmp_path / "whole")
    with monkeypatch.context() as patched:
        patched.setattr(worker, "measured", lambda *words: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            tuned(tmp_path / "part")
    found = status.read(worker_folder(tmp_path / "part", "one"))
    assert (found["state"], found["exit_code"]) == ("failed", 1) and "ZeroDivisionError" in found["message"]
    assert tuned(tmp_path / "part")[1] == whole


def test_without_optuna_the_cure_is_told(tmp_path):
    program = (
        "import sys; sys.modules['optuna'] = None; from mpiflow.__main__ import main; "
        "sys.argv = ['mpiflow', 'tune', 'jobs/quickstart.toml', '-o', sys.argv[1]]; main()"
    )
    done = subprocess.run([sys.executable, "-c", program, tmp_path / "x"], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "pip install 'mpiflow[tune]'" in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "x").exists()


def _made(folder, name):
    path = worker_folder(folder, name)
    path.mkdir(parents=True)
    return path


def test_a_trial_that_is_given_up_is_pruned_and_has_had_its_place(tmp_path):
    trials = optuna.create_study(direction="maximize")
    at = desk.Desk(trials, [space.Range("flow.dt", 0.1, 1.0)], 1, tmp_path)
    assert at.next().place == 0 and at.tell(None, "gain", 1.0, "worse than the median") == "worse than the median"
    assert [trial.state for trial in trials.trials] == [optuna.trial.TrialState.PRUNED]
    assert at.next() is None
