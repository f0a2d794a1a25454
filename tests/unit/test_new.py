"""`mpiflow new` writes what a checkout has in jobs/ and slurm/ wherever mpiflow is installed, and touches nothing."""

from pathlib import Path

import pytest
from facts import telling
from typer.testing import CliRunner

from mpiflow import config
from mpiflow.cli import app
from mpiflow.commands import new
from mpiflow.errors import InputError

ROOT = Path(__file__).parents[2]
NAMES = list(new.known())


def called(*words):
    return CliRunner().invoke(app, ["new", *words], catch_exceptions=False)


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_every_job_has_a_line_of_its_own():
    lines = called().stdout.splitlines()
    assert [line.split()[0] for line in lines] == [*NAMES, "slurm"]
    assert all(len(line.split()) > 2 and len(line) < 140 for line in lines)
    tree = {str(path.relative_to(ROOT / "jobs")).removesuffix(".toml") for path in (ROOT / "jobs").rglob("*.[tp][oy]*")}
    assert {name for name in tree if "__pycache__" not in name} == set(NAMES)


@pytest.mark.parametrize("name", [name for name in NAMES if not name.endswith(".py")])
def test_a_job_that_is_written_out_is_that_of_the_checkout(name):
    told = called(name).stdout
    written = Path(f"{Path(name).name}.toml")
    assert told.startswith(f"{written}: ")
    assert config.read(written, []) == config.read(ROOT / "jobs" / f"{name}.toml", [])
    assert f"jobs/{name}.toml" not in written.read_text()


@pytest.mark.parametrize("name", ["quickstart", "quickstart.toml", "jobs/quickstart.toml"])
def test_a_job_is_found_as_it_is_written(name):
    called(name)
    assert [path.name for path in Path().iterdir()] == ["quickstart.toml"]


def test_the_batch_scripts_come_with_what_they_need():
    called("slurm")
    assert {path.name for path in Path("slurm").iterdir()} == {
        path.name for path in (ROOT / "slurm").iterdir() if path.name not in ("dev", "site.env")
    }
    assert Path("slurm/flow.sbatch").read_bytes() == (ROOT / "slurm" / "flow.sbatch").read_bytes()


def test_nothing_that_is_there_is_touched():
    Path("relu.toml").write_text("mine")
    Path("delta.toml").symlink_to("nowhere")
    Path("slurm").mkdir()
    Path("slurm/tune.sbatch").write_text("mine")
    for name, there in (("relu", "relu.toml"), ("delta", "delta.toml"), ("slurm", "slurm/tune.sbatch")):
        with telling(InputError, there):
            called(name)
    assert Path("relu.toml").read_text() == Path("slurm/tune.sbatch").read_text() == "mine"
    assert not Path("delta.toml").exists() and [path.name for path in Path("slurm").iterdir()] == ["tune.sbatch"]


@pytest.mark.parametrize("name", ["quikstart", "../README", "/etc/passwd", "jobs", "slurm/site.env"])
def test_an_unknown_name_is_answered_with_those_that_are_known(name):
    with telling(InputError, f"new {name}", "quickstart", "paper/network", "slurm"):
        called(name)
    assert not list(Path().iterdir())
