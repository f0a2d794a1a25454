"""`@pytest.mark.parallel([1, 2, 3])`: the test runs on each of these numbers of MPI ranks.

Inside the test `mpiflow.comm.world()` is the communicator. One rank is this process. For more, all marked tests of a
file share one mpiexec; every rank writes what it saw, and the test fails with the traceback of each rank that failed.
`timeout=60` in the mark is the number of seconds after which a test counts as deadlocked.
"""

from __future__ import annotations

import faulthandler
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from mpiflow.comm import world

#: Folder in which the ranks of one mpiexec report; set on the ranks alone.
_REPORTS = os.environ.get("MPIFLOW_TEST_REPORTS")
#: Seconds that a failing rank leaves the others to fail and report too, before it ends them all.
_GRACE = 1.0


def pytest_configure(config):
    config.stash[_VERDICTS] = {}


def pytest_generate_tests(metafunc):
    mark = metafunc.definition.get_closest_marker("parallel")
    if mark:
        metafunc.fixturenames.append("ranks")
        metafunc.parametrize("ranks", mark.args[0], ids=[f"{n} ranks" for n in mark.args[0]])


def pytest_collection_modifyitems(items):
    for item in items:
        if _elsewhere(item):
            item.fixturenames = []  # the ranks set up their own


@pytest.fixture
def shared_path(tmp_path):
    """A folder of this test that is the same on every rank."""
    return world().bcast(tmp_path)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    if not _elsewhere(pyfuncitem):
        return None
    verdicts = pyfuncitem.config.stash[_VERDICTS]
    if pyfuncitem.nodeid not in verdicts:
        group = [item for item in pyfuncitem.session.items if _group(item) == _group(pyfuncitem)]
        verdicts.update(_verdicts([item for item in group if item.nodeid not in verdicts], _group(pyfuncitem)[1]))
    outcome, text = verdicts[pyfuncitem.nodeid]
    if outcome == "skipped":
        pytest.skip(text)
    if outcome == "failed":
        pytest.fail(text, pytrace=False)
    return True


def pytest_runtest_setup(item):
    if _REPORTS:
        hang = open(_said(_REPORTS, world().rank, "hang"), "w")
        faulthandler.dump_traceback_later(_seconds(item), exit=True, file=hang)


def pytest_runtest_logreport(report):
    if not _REPORTS or (report.when != "call" and report.passed):
        return
    outcome = {"test": report.nodeid, "outcome": report.outcome, "text": report.longreprtext}
    if report.skipped:
        outcome["text"] = str(report.longrepr[-1])
    with open(_said(_REPORTS, world().rank, "json"), "a") as file:
        file.write(json.dumps(outcome) + "\n")
    faulthandler.cancel_dump_traceback_later()
    if report.failed:
        time.sleep(_GRACE)
        world().mpi.Abort(1)


_VERDICTS = pytest.StashKey[dict[str, tuple[str, str]]]()


def _elsewhere(item) -> bool:
    """Whether this process must start ranks for the test."""
    return not _REPORTS and _group(item)[1] > 1


def _group(item) -> tuple[Path, int]:
    if not item.get_closest_marker("parallel"):
        return item.path, 0
    return item.path, item.callspec.params["ranks"]


def _seconds(item) -> float:
    return item.get_closest_marker("parallel").kwargs.get("timeout", 60)


def _said(folder: str, rank: int, kind: str) -> Path:
    return Path(folder) / f"rank-{rank}.{kind}"


def _verdicts(items, ranks: int) -> dict[str, tuple[str, str]]:
    """Outcome and text of each test: a failure ends its mpiexec, so those behind it get another one."""
    verdicts, left = {}, list(items)
    while left:
        said, output = _launch(left, ranks)
        while left:
            item = left.pop(0)
            verdicts[item.nodeid] = _verdict([rank.get(item.nodeid) for rank in said], output)
            if verdicts[item.nodeid][0] == "failed":
                break
    return verdicts


def _launch(items, ranks: int) -> tuple[list[dict], str]:
    """What each rank said of each test, and the end of what they printed."""
    seconds = 60 + sum(map(_seconds, items))
    threads = dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"], "1")
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [Path(sys.executable).parent / "mpiexec", "-n", str(ranks), sys.executable, "-m", "pytest"]
            + ["-p", "no:cacheprovider", "--no-header", *(item.nodeid for item in items)],
            cwd=items[0].config.rootpath,
            env=os.environ | threads | {"MPIEXEC_TIMEOUT": f"{seconds:.0f}", "MPIFLOW_TEST_REPORTS": folder},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        hangs = [_said(folder, rank, "hang") for rank in range(ranks)]
        traces = [hang.read_text()[:600] if hang.exists() else "" for hang in hangs]
        output = "\n".join([done.stdout[-4000:], *(f"rank {r}: {trace}" for r, trace in enumerate(traces) if trace)])
        return [_read(_said(folder, rank, "json")) for rank in range(ranks)], output


def _read(path: Path) -> dict:
    lines = path.read_text().splitlines() if path.exists() else []
    return {said["test"]: said for said in map(json.loads, lines)}


def _verdict(said: list[dict | None], output: str) -> tuple[str, str]:
    failed = [f"rank {r} of {len(said)}:\n{s['text']}" for r, s in enumerate(said) if s and s["outcome"] == "failed"]
    silent = [r for r, s in enumerate(said) if s is None]
    if failed:
        return "failed", "\n".join(failed)
    if silent:
        return "failed", f"ranks {silent} of {len(said)} crashed or hung in this test; the end of the output:\n{output}"
    skipped = [s["text"] for s in said if s["outcome"] == "skipped"]
    return ("skipped", skipped[0]) if skipped else ("passed", "")
