"""Members: runs that differ in some keys, each on one rank; what fails ends no other, what stopped is resumed."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from facts import telling, tells

from mpiflow import config, job
from mpiflow.belief import loader
from mpiflow.comm import Comm
from mpiflow.doors import loaded
from mpiflow.errors import InputError
from mpiflow.job.members import _member, choices, members
from mpiflow.job.on_grid import OnGrid

TABLE = {
    "manifold": {"family": "flat-torus", "points": 9, "modes": 1},
    "kernel": {"name": "grid", "width": 0.8},
    "flow": {"dt": 0.05, "steps": 2},
}


def settings(width, steps=2):
    return config.check(
        TABLE | {"kernel": TABLE["kernel"] | {"width": width}, "flow": {"dt": 0.05, "steps": steps}}, "x.toml"
    )


def test_a_member_is_what_its_run_alone_is_and_a_failed_one_ends_no_other(tmp_path):
    runs = {tmp_path / str(width): settings(width) for width in (0.3, 0.8, 1.0)}
    (tmp_path / "0.8").mkdir()
    (tmp_path / "0.8" / "STOP").write_text("1")
    # The first is refused: its width is below the grid. The second stops all.
    assert members(Comm(), runs, quiet=True) == 2 and not (tmp_path / "1.0").exists()
    del runs[tmp_path / "0.3"]
    assert members(Comm(), runs, quiet=True) == 0
    alone = OnGrid.begun(Comm(), settings(0.8)).flow
    for _ in range(2):
        alone.step()
    found = loader.latest(tmp_path / "0.8", pytest.fail).arrays["method/metric"]
    np.testing.assert_array_equal(found, np.moveaxis(alone.theta, 0, -1))


@pytest.mark.parametrize(("codes", "wanted"), [({"a": 0}, 75), ({"a": 3}, 3), ({"a": 0, "c": 0, "e": 0}, 0)], ids=str)
def test_members_are_dealt_out_and_have_a_rank_each(codes, wanted, monkeypatch):
    """The second of two ranks has "b" and "d"; the first tells the codes of what it has done, or has left for want of time."""
    made = []

    def run(comm, config, where, screen, max_time):
        made.append((comm.size, where))
        return 0

    monkeypatch.setattr(job.members, "run", run)
    told = {Path(where): (code, "") for where, code in codes.items()}
    ranks = SimpleNamespace(rank=1, size=2, allgather=lambda own: [told, own])
    assert members(ranks, dict.fromkeys(map(Path, "abcde")), quiet=True) == wanted
    assert made == [(1, Path("b")), (1, Path("d"))]


def test_what_a_user_s_code_raises_ends_its_member_alone(tmp_path, monkeypatch):
    theirs = loaded.module(
        "theirs.py", "def run(comm, config, where, *args, **kwargs):\n    if where.name == 'a': 1 / 0\n    return 0"
    )
    monkeypatch.setattr(job.members, "run", theirs.run)
    assert members(Comm(), dict.fromkeys(map(Path, "ab")), quiet=True) == 2
    told = _member(None, Path("a"), None)
    assert told[0] == 2 and _member(None, Path("b"), None)[0] == 0
    tells(told[1], "theirs.py", "ZeroDivisionError", "(line 2)")


def test_members_are_all_combinations_with_names_of_their_own():
    found = choices(["kernel.width=0.2,0.3", "manifold.seed=1,2"])
    assert list(found) == ["width-0.2_seed-1", "width-0.2_seed-2", "width-0.3_seed-1", "width-0.3_seed-2"]
    assert found["width-0.3_seed-1"] == ["kernel.width=0.3", "manifold.seed=1"]


@pytest.mark.parametrize("words", ["kernel.width", "kernel.width=", "=1", "kernel.width=1,,2", "run.seed=1,1"])
def test_a_wrong_list_is_one_line(words):
    with telling(InputError, "--each"):
        choices([words])
