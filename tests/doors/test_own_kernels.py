"""Kernels of a user's own file: run, resumed on other ranks, planned, evaluated; and refused where they are none."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from dropping import begin, holds
from facts import telling, tells
from inside import mpiflow as inside
from inside import refused
from kernels import ERF, LAPLACE, REACH, written

import mpiflow as library
from jobs import mpiflow
from mpiflow import config
from mpiflow.belief import loader
from mpiflow.doors import loaded, places
from mpiflow.doors.raised import in_one_line
from mpiflow.engine.formula import Formula, KeptFormula
from mpiflow.errors import InputError
from mpiflow.kernels import Kernel

KERNELS = {"Laplace": (LAPLACE,), "Erf": (ERF,), "halo": (REACH.replace("0.4", "0.05"), "Laplace", "halo")}


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """A run file with each of these kernels, begun on two ranks."""
    found = {}
    for name, (text, *rest) in KERNELS.items():
        found[name] = written(tmp_path_factory.mktemp(name), text, *(rest or [name]))
    begin(*found.values())
    return found


@pytest.mark.parametrize("called", ["Laplace", "Erf"])
def test_a_dropped_kernel_runs_from_its_run_file_to_an_evaluation(called, begun):
    model = holds(begun[called])
    assert model.attributes["tiles"] == "arrays" and model.evaluate(60, 5)[0].gain > 1
    assert "through arrays" in next((begun[called].parent / "parts" / "log").glob("*")).read_text()


def test_a_dropped_kernel_with_a_reach_has_a_halo(begun, tmp_path):
    assert holds(begun["halo"]).config.flow.coupling == "halo"
    refused = inside(["run", str(written(tmp_path, LAPLACE, "Laplace", "halo"))], tmp_path)
    assert refused.returncode == 2
    tells(refused.stderr, 'flow.coupling = "halo"', f"{tmp_path}/mine.py:Laplace", '"all"')


BROKEN = {
    "syntax": (LAPLACE + "\nif", "SyntaxError", "(line 15)"),
    "no class": ("", "Kernel"),
    "no kernel": ("class Laplace: pass", "Kernel"),
    "raises at once": ("1 / 0", "ZeroDivisionError", "(line 1)"),
    "leaves": ("raise SystemExit(3)", "SystemExit: 3", "(line 1)"),
    "field without a type": (LAPLACE.replace("width: float", "width"), "width"),
    "raises later": (LAPLACE.replace("xp.exp(", "xp.exq("), "AttributeError", "'exq'", "(line 13)"),
    "shape": (LAPLACE.replace("self.width)", "self.width)[:1]"), "float64[1, 9]", "float64[5, 9]"),
    "NaN": (LAPLACE.replace("-distances", "np.nan * distances"), "tile", "nan"),
    "complex": (LAPLACE.replace("-distances", "1j * distances"), "complex128[5, 9]", "float64[5, 9]"),
    "changes its points": (
        LAPLACE.replace("        return", "        x *= 2\n        return"),
        "ValueError",
        "(line 13)",
    ),
    "no tile": (LAPLACE.replace("def tile", "def tiles"), "tile(self, x, y, xp=np)"),
    "symmetric without a profile": (LAPLACE.replace("width:", "symmetric = True\n    width:"), "symmetric", "profile"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_one_line(case, tmp_path):
    text, *facts = BROKEN[case]
    with telling(InputError, f'kernel.name = "{tmp_path}/mine.py:Laplace"', *facts):
        config.read(written(tmp_path, text, "Laplace"))


def test_what_it_raises_in_the_middle_of_the_work_is_one_line(tmp_path):
    late = LAPLACE.replace("        return", '        if len(x) > 100: raise RuntimeError("late oops")\n        return')
    path = written(tmp_path, late, "Laplace")
    refused(inside(["run", str(path), "-o", "run"], tmp_path), "mine.py: RuntimeError: late oops (line 13)")
    ours = loaded.module(
        "ours.py", "from mpiflow import hermitian\ndef call(): hermitian.unpacked(None)\ndef leave(): exit(0)"
    )
    with pytest.raises(AttributeError), in_one_line():
        ours.call()
    with telling(InputError, "ours.py", "SystemExit: 0"), in_one_line():
        ours.leave()


def test_what_was_computed_is_not_lost_with_the_working_directory(tmp_path, monkeypatch):
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    with loaded.staying():
        monkeypatch.chdir(tmp_path)
        here.rmdir()
    assert Path.cwd() == tmp_path


def test_a_scaling_report_knows_what_runs_of_a_user_s_kernel_take(begun, tmp_path):
    done = inside(["scaling", "report", str(begun["Laplace"].parent / "parts"), "-o", "study"], tmp_path)
    assert done.returncode == 0 and (tmp_path / "study" / "scaling.csv").exists(), done.stderr


def test_a_file_that_changes_the_working_directory_moves_no_result(tmp_path, monkeypatch):
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir()
    elsewhere.mkdir()
    leaves = f"import os\nos.chdir({str(elsewhere)!r})\n"
    moved = LAPLACE.replace("        return", f"        os.chdir({str(elsewhere)!r})\n        return")
    path = written(home, leaves + moved, "Laplace")
    sizes = ("points.train=60", "points.test=20", "flow.steps=1", "clusters.count=1")
    small = [word for size in sizes for word in ("--set", size)]
    assert inside(["points", path.name, "-o", "dataset.npz", *small], home).returncode == 0
    small += ["--set", "points.file=dataset.npz"]
    for words in (["run"], ["members", "--each", "kernel.width=0.3,0.5"], ["tune", "--trials", "2"]):
        done = inside([*words, path.name, "-o", f"runs/{words[0]}", *small], home)
        assert done.returncode == 0, done.stderr
    assert inside("compare runs/run runs/members/width-0.3 --points 20", home).returncode == 0
    monkeypatch.chdir(home)
    library.run(path.name, "runs/api")
    assert Path.cwd() == home and (home / "runs" / "api" / "report" / "summary.json").exists()
    assert not list(elsewhere.iterdir()) and (home / "runs" / "run" / "state-00000001.h5").exists()
    assert (home / "runs" / "tune" / "best.toml").exists()


@pytest.mark.parametrize(("late", "kind"), [("[:, :-1]", "float64[128, 129]"), (" * 1j", "complex128[128, 130]")])
def test_a_tile_that_is_none_of_many_points_is_one_line(late, kind, tmp_path):
    """It was tried on a few."""
    text = LAPLACE.replace(
        "self.width)", f"self.width){late} if len(y) > 100 else xp.exp(-distances(x, y, xp) / self.width)"
    )
    kernel, z = config.read(written(tmp_path, text, "Laplace")).kernel, np.ones((130, 5), complex)
    with telling(InputError, f'kernel.name = "{tmp_path}/mine.py:Laplace"', kind, "float64[128, 130]"):
        Formula(kernel, z, z, "float32").apply(np.ones((130, 1)))


@pytest.mark.parametrize("mode", [Formula, KeptFormula])
def test_a_tile_that_is_not_finite_for_many_points_is_one_line(mode, tmp_path):
    text = LAPLACE.replace("self.width)", "self.width) * (xp.nan if len(y) > 100 else 1)")
    path = written(tmp_path, text, "Laplace")
    kernel, z = config.read(path).kernel, np.ones((130, 5), complex)
    with telling(InputError, "kernel.name", "mine.py:Laplace", "nan", "float32"):
        mode(kernel, z, z, "float32").apply(np.ones((130, 1)))
    assert np.isnan(mode(kernel, z, z[:90], "float32").apply(np.full((90, 1), np.nan))).all(), "v is to blame"
    refused(inside(["run", str(path), "-o", "run"], tmp_path), "kernel.name", "nan", "float64")
    exact = ["--set", "flow.loss=mse", "--set", "flow.search=exact", "--set", "flow.normalisation=mean"]
    refused(inside(["run", str(path), "-o", "run", *exact], tmp_path), "kernel.name", "mine.py:Laplace")


def test_what_one_rank_alone_meets_is_one_line(tmp_path):
    rank = "__import__('mpi4py.MPI').MPI.COMM_WORLD.rank"
    late = f"        if len(x) > 100 and {rank} == 1: raise RuntimeError('late oops')\n"
    path = written(tmp_path, LAPLACE.replace("        return", f"{late}        return"), "Laplace")
    done = mpiflow("run", path, "-o", tmp_path / "run", ranks=2)
    refused(done, "rank 1 of 2", "mine.py: RuntimeError: late oops (line 13)")


def test_what_is_no_file_and_what_is_no_key_is_one_line(tmp_path):
    path = written(tmp_path, LAPLACE, "Laplace")
    with telling(InputError, "kernel.widht", "name, rescale, width"):
        config.read(path, ["kernel.widht=1"])
    with telling(InputError, f'kernel.name = "{tmp_path}/other.py:Laplace"'):
        config.read(path, ["kernel.name=other.py:Laplace"])


def test_a_state_takes_its_own_file_alone_and_looking_at_it_none(tmp_path):
    path, folder, marker = written(tmp_path, LAPLACE, "Laplace"), tmp_path / "run", tmp_path / "executed"
    assert inside(["run", str(path), "-o", "run", "--set", "flow.steps=1"], tmp_path).returncode == 0
    (tmp_path / "mine.py").write_text(LAPLACE + f"\nopen({str(marker)!r}, 'w')\n")
    assert inside("verify run", tmp_path).returncode == 0
    shown = mpiflow("info", folder)
    assert shown.returncode == 0 and "exp(-d / width)" in shown.stdout
    hashes = [places.digest(text)[:16] for text in (LAPLACE, (tmp_path / "mine.py").read_text())]
    with pytest.raises(InputError) as refusal:
        library.open(folder)
    assert all(part in str(refusal.value) for part in hashes) and not marker.exists()
    resumed = mpiflow("run", path, "-o", folder)
    assert resumed.returncode == 2 and all(part in resumed.stderr.replace("\n", "") for part in hashes)
    (tmp_path / "mine.py").unlink()
    with telling(InputError, f'kernel.name = "{tmp_path}/mine.py:Laplace"', hashes[0], folder):
        library.open(folder)
    assert inside("info run", tmp_path).returncode == 0


def test_a_project_may_be_moved(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    (old / "own").mkdir(parents=True)
    path = written(old / "own", LAPLACE, "Laplace")
    library.run(config.read(path, ["flow.steps=1"]), old / "runs" / "run")
    old.rename(new)
    folder = new / "runs" / "run"
    marker = new / "executed"
    (new / "own" / "mine.py").write_text(LAPLACE + f"\nopen({str(marker)!r}, 'w')\n")
    for ask in (library.open, lambda folder: config.read(folder / "run.toml")):
        with telling(InputError, "mine.py", places.digest(LAPLACE)[:16], folder):
            ask(folder)
    assert not marker.exists()
    (new / "own" / "mine.py").write_text(LAPLACE)
    assert library.open(folder).evaluate(20, 1)
    assert library.run(config.read(folder / "run.toml", ["flow.steps=2"]), folder).step == 2
    assert config.read(folder / "run.toml").kernel == config.read(new / "own" / "run.toml").kernel
    assert [sound for _, sound, _ in loader.verify(folder)] == [True] * 3


def test_other_ranks_get_the_text_of_the_first(tmp_path):
    settings = config.read(written(tmp_path, LAPLACE, "Laplace"))
    sent = pickle.dumps(settings)
    (tmp_path / "mine.py").write_text("1 / 0")
    loaded.executed.cache_clear()
    loaded.module.cache_clear()
    received = pickle.loads(sent)
    assert type(received.kernel) is not type(settings.kernel)
    assert received.model_dump() == settings.model_dump() and received.kernel.source == LAPLACE


class Point:
    value = "package:Packaged"

    def load(self):
        return Packaged


class Packaged(Kernel):
    def tile(self, x, y, xp=np):
        return xp.abs(x @ y.conj().T)


def test_installed_packages_bring_kernels(monkeypatch):
    found = {"packaged": [Point()]}
    monkeypatch.setattr(loaded, "entry_points", lambda group, name=None: found.get(name, []))
    settings = config.check({"kernel": {"name": "packaged"}, "flow": {"dt": 1.0}}, "x.toml")
    assert settings.method == "packaged" and settings.kernel.source == Path(__file__).read_text()
    assert settings.kernel == pickle.loads(pickle.dumps(settings)).kernel
