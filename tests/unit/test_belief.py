"""A state is believed if its own run file could have made it, and in a folder if it is of the folder's run."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest

import mpiflow
from jobs import JOBS, small
from mpiflow.belief import loader
from mpiflow.comm import Comm
from mpiflow.config import read
from mpiflow.errors import StateError
from mpiflow.job.job import run as start
from mpiflow.screen import Screen
from mpiflow.state import commit, load, naming
from mpiflow.state.load import ForeignError


def made(folder, *keys, job=None):
    """A short run of a run file, small.toml by default, in a new folder."""
    folder.mkdir(exist_ok=True)
    config = read(job or small(folder), list(keys))
    assert start(Comm(), config, folder / "run", Screen(0, quiet=True)) == 0
    return folder / "run"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return made(tmp_path_factory.mktemp("belief"), "flow.steps=2")


@pytest.fixture(scope="module")
def kaehler(tmp_path_factory):
    keys = ("points.train=100", "points.test=20", "kernel.degree=6", "flow.steps=1", "manifold.ambient=3")
    return made(tmp_path_factory.mktemp("kaehler"), *keys, job=JOBS / "kaehler.toml")


def newest(folder):
    return loader.latest(folder, pytest.fail)


def without(name):
    return lambda arrays, attributes: arrays.pop(name, None) if "/" in name else attributes.pop(name, None)


def at(name, place, value):
    """Change one value of a dataset."""

    def change(arrays, attributes):
        arrays[name] = arrays[name].copy()
        arrays[name][place] = value

    return change


def said(name, value):
    """Change an attribute, which may look at the old one."""
    return lambda arrays, attributes: attributes.update({name: value(attributes[name]) if callable(value) else value})


def retyped(name, dtype):
    return lambda arrays, attributes: arrays.update({name: arrays[name].astype(dtype)})


def cut(name, rows):
    return lambda arrays, attributes: arrays.update({name: arrays[name][:rows]})


COMPONENTS = {
    "no points": (without("points/z"), "points/z not there"),
    "no gradient": (without("flow/accumulated_gradient"), "accumulated_gradient not there"),
    "no history": (without("history/sigma_test"), "history/sigma_test not there"),
    "label too large": (at("clusters/label", 3, 17), r"clusters/label\[3\] = 17: it must be in 0..2"),
    "label negative": (at("clusters/label", 3, -1), "clusters/label"),
    "batch label": (at("clusters/batch_label", 0, -2), "batch_label"),
    "sizes": (at("clusters/size", 0, 1), "clusters/size"),
    "fewer sizes": (cut("clusters/size", 2), "clusters/size has shape"),
    "split": (at("split/train", 0, 1), "split is not"),
    "chart too large": (at("points/chart", (1, 1), 5), "points/chart"),
    "chart twice": (at("points/chart", 2, 1), "two different numbers"),
    "other chart": (at("points/chart", (2, 1), 3), "run file says"),
    "z zero": (at("points/z", 2, 0), "does not lie in its chart"),
    "weight": (at("points/weight", 2, -1), "points/weight"),
    "omega": (at("points/omega2", 2, 0), "points/omega2"),
    "metric": (at("metric/current", (2, 0, 1), 5), r"metric/current\[2\] is not Hermitian"),
    "real metric": (lambda a, _: a.update({"metric/current": a["metric/current"].real.copy()}), "are complex"),
    "unsigned labels": (retyped("clusters/label", np.uint64), "int64"),
    "steps": (at("history/step", 1, 2), "history/step"),
    "time": (at("history/time", 1, 9.0), "history/time"),
    "looks": (at("history/test_step", 0, 1), "history/test_step"),
    "timing": (said("ranks", 2), "timing/.* has 1 entries: 2 ranks wrote"),
    "no config": (without("config"), "holds no run file"),
    "config is no TOML": (said("config", "x ="), "run file is not valid"),
    "config of nothing": (said("config", ""), "run file is not valid"),
    "config nested": (said("config", "a = " + "[" * 100_000), "run file is not valid"),
    "config large": (said("config", "#" * (loader.LONGEST + 1)), "characters"),
    "more points": (said("config", lambda text: text.replace("train = 330", "train = 331")), "has shape"),
    "other dimension": (said("config", lambda text: text.replace("ambient = 4", "ambient = 3")), "has shape"),
    "fewer steps": (said("config", lambda text: text.replace("steps = 2", "steps = 1")), "step 2 of flow.steps = 1"),
    "another method": (
        said("config", lambda text: text.replace('"gaussian"', '"kaehler"').replace("width = 0.4", "")),
        "valid|there",
    ),
    "seed": (said("seed", 8), "seed"),
    "precision": (said("precision", "float32"), "precision"),
    "no engine": (without("engine"), "engine is not there"),
    "engine": (said("engine", "warp"), "engine is 'warp'"),
    "backend": (said("backend", "tpu"), "backend"),
    "ranks": (said("ranks", 0), "ranks"),
    "provenance": (said("provenance", "{"), "provenance"),
    "provenance nested": (said("provenance", "[" * 100_000), "provenance"),
    "provenance of nobody": (said("provenance", "[{}]"), "does not tell"),
}
POTENTIAL = {
    "parent": (at("potential/parent", -1, 10**9), "potential/parent"),
    "parent to come": (at("potential/parent", 1, 1), "not known yet"),
    "factor": (at("potential/factor", -1, -(10**9)), "potential/factor"),
    "degree": (at("potential/degree", -1, 99), "potential/degree"),
    "generators": (at("potential/generators", (0, 0, 0), 10**9), "potential/generators"),
    "scale": (at("potential/scale", 0, 0), "potential/scale"),
    "overlap": (at("potential/overlap", (1, 1), 0), "potential/overlap"),
    "coefficients": (retyped("potential/coefficients", "c16"), "potential/coefficients"),
    "steps": (at("potential/steps", 0, 7), "potential/steps"),
    "no basis": (without("potential/overlap"), "not there"),
}


def rewritten(folder, tmp_path, change):
    """The newest state of a run, changed, with every checksum right."""
    state = load.latest(folder, pytest.fail)
    arrays = dict(state.arrays)
    attributes = {name: value for name, value in state.attributes.items() if name not in ("schema", "step")}
    change(arrays, attributes)
    return commit.write(tmp_path, state.step, arrays, attributes)


def refused(path, words):
    with pytest.raises(StateError, match=words) as told:
        loader.read(path)
    assert len(str(told.value).splitlines()) == 1 and str(path) in str(told.value)


@pytest.mark.parametrize("case", COMPONENTS)
def test_what_no_run_wrote_is_refused(run, tmp_path, case):
    change, words = COMPONENTS[case]
    refused(rewritten(run, tmp_path, change), words)


@pytest.mark.parametrize("case", POTENTIAL)
def test_a_potential_that_no_run_wrote_is_refused(kaehler, tmp_path, case):
    change, words = POTENTIAL[case]
    refused(rewritten(kaehler, tmp_path, change), words)


def test_a_state_of_a_run_is_believed(run, kaehler, tmp_path):
    for folder in (run, kaehler):
        assert newest(folder).step > 0 and all(sound for _, sound, _ in loader.verify(folder))
        assert loader.read(rewritten(folder, tmp_path, lambda arrays, attributes: None)).step > 0


def test_a_state_of_another_run_is_foreign_in_a_folder_and_opens_by_itself(run, tmp_path):
    folder = shutil.copytree(run, tmp_path / "run")
    other = made(tmp_path / "other", "flow.steps=3", "kernel.width=0.3")
    foreign = naming.state_path(folder, 3)
    shutil.copy(naming.state_path(other, 3), foreign)
    with pytest.raises(ForeignError, match=r"kernel.width: 0.3 -> 0.4.*open that file itself"):
        mpiflow.open(folder)
    verdict = {path: (sound, text) for path, sound, text in loader.verify(folder)}[foreign]
    assert not verdict[0] and "kernel.width" in verdict[1]
    assert mpiflow.open(foreign).step == 3
    (folder / "run.toml").unlink()
    assert mpiflow.open(folder).step == 3


@pytest.mark.parametrize(
    "make", [os.mkfifo, os.mkdir, lambda p: p.symlink_to("/dev/zero"), lambda p: p.write_text("x =")]
)
def test_a_run_file_that_is_none_is_told_in_one_line(run, tmp_path, make):
    folder = shutil.copytree(run, tmp_path / "run")
    (folder / "run.toml").unlink()
    make(folder / "run.toml")
    for ask in (mpiflow.open, loader.verify, loader.describe):
        with pytest.raises(StateError, match="run.toml") as told:
            ask(folder)
        assert len(str(told.value).splitlines()) == 1
