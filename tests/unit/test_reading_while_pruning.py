"""A run commits and prunes while others read: what has gone is no verdict, and there is always a newest state."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from states import small_arrays

from mpiflow.state import commit, load, naming

#: By hand: MPIFLOW_ROUNDS=200.
ROUNDS = int(os.environ.get("MPIFLOW_ROUNDS", "8"))

#: Commits state after state and keeps one, in a process of its own, until its folder has a file called "enough".
RUN = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from states import small_arrays
from mpiflow.comm import Comm
from mpiflow.state.commit import Writer
folder = Path(sys.argv[1])
writer = Writer(Comm(), folder, keep=1, part_bytes=int(sys.argv[2]))
for step in range(1, 100_000):
    writer.submit(step, small_arrays(step), {{}})
    writer.settle()
    if (folder / "enough").exists():
        break
"""


@pytest.fixture(params=[1 << 30, 20_000], ids=["whole", "in parts"])
def folder(request, tmp_path):
    commit.write(tmp_path, 0, small_arrays(), {})
    program = RUN.format(tests=str(Path(__file__).parents[1]))
    run = subprocess.Popen([sys.executable, "-c", program, str(tmp_path), str(request.param)])
    yield tmp_path
    (tmp_path / "enough").touch()
    assert run.wait(30) == 0


def test_a_state_that_has_gone_is_no_verdict(folder):
    steps, rounds = set(), 0
    # Whoever commits may begin late on a busy machine.
    while rounds < ROUNDS or (len(steps) < 2 and rounds < 250 * ROUNDS):
        rounds += 1
        state = load.latest(folder, pytest.fail)
        steps.add(state.step)
        verdicts = load.verify(folder)
        assert all(sound for _, sound, _ in verdicts), verdicts
        assert any(naming.step_of(path) is not None for path, _, _ in verdicts)
        assert load.describe(folder)["latest"]
    assert len(steps) > 1
