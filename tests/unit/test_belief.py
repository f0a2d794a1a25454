"""A state is believed if its own run file could have made it, and in a folder if it is of the folder's run."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest
from facts import telling

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
    "no points": (without("points/z"), "points/z"),
    "no gradient": (without("flow/accumulated_gradient"), "flow/accumulated_gradient"),
    "no history": (without("history/sigma_test"), "history/sigma_test"),
    "label too large": (at("clusters/label", 3, 17), "clusters/label[3] = 17", "0..2"),
    "label negative": (at("clusters/label", 3, -1), "clusters/label[3] = -1"),
    "batch label": (at("clusters/batch_label", 0, -2), "clusters/batch_label[0] = -2"),
    "sizes": (at("clusters/size", 0, 1), "clusters/size"),
    "fewer sizes": (cut("clusters/size", 2), "clusters/size", "[2]", "[3]"),
    "split": (at("split/train", 0, 1), "split"),
    "chart too large": (at("points/chart", (1, 1), 5), "points/chart[1] = [0, 5]", "0..4"),
    "chart twice": (at("points/chart", 2, 1), "points/chart[2] = [1, 1]", "0..4"),
    "other chart": (at("points/chart", (2, 1), 3), "points/chart", "[0, 1]"),
    "z zero": (at("points/z", 2, 0), "points/z[2]"),
    "weight": (at("points/weight", 2, -1), "points/weight[2] = -1.0"),
    "omega": (at("points/omega2", 2, 0), "points/omega2[2] = 0.0"),
    "metric": (at("metric/current", (2, 0, 1), 5), "metric/current[2]"),
    "real metric": (
        lambda a, _: a.update({"metric/current": a["metric/current"].real.copy()}),
        "metric/current",
        "float64",
    ),
    "unsigned labels": (retyped("clusters/label", np.uint64), "clusters/label", "uint64", "int64"),
    "steps": (at("history/step", 1, 2), "history/step"),
    "time": (at("history/time", 1, 9.0), "history/time"),
    "looks": (at("history/test_step", 0, 1), "history/test_step"),
    "timing": (said("ranks", 2), "timing/allreduce", "2 ranks"),
    "no config": (without("config"), "config"),
    "config is no TOML": (said("config", "x ="), "config"),
    "config of nothing": (said("config", ""), "config", "flow"),
    "config nested": (said("config", "a = " + "[" * 100_000), "config"),
    "config large": (said("config", "#" * (loader.LONGEST + 1)), "config", f"{loader.LONGEST + 1:,}"),
    "more points": (
        said("config", lambda text: text.replace("train = 330", "train = 331")),
        "points/z",
        "[450, 5]",
        "[451, 5]",
    ),
    "other dimension": (
        said("config", lambda text: text.replace("ambient = 4", "ambient = 3")),
        "points/z",
        "[450, 5]",
        "[450, 4]",
    ),
    "fewer steps": (said("config", lambda text: text.replace("steps = 2", "steps = 1")), "step 2", "flow.steps = 1"),
    "another method": (
        said("config", lambda text: text.replace('"gaussian"', '"kaehler"').replace("width = 0.4", "")),
        "config",
    ),
    "seed": (said("seed", 8), "seed", 8, 1),
    "precision": (said("precision", "float32"), "precision", "'float32'", "'float64'"),
    "no engine": (without("engine"), "engine"),
    "engine": (said("engine", "warp"), "engine", "'warp'", "neighbours, resident, streamed, symmetric"),
    "backend": (said("backend", "tpu"), "backend", "'tpu'"),
    "ranks": (said("ranks", 0), "ranks", 0),
    "provenance": (said("provenance", "{"), "provenance"),
    "provenance nested": (said("provenance", "[" * 100_000), "provenance"),
    "provenance of nobody": (said("provenance", "[{}]"), "provenance", "mpiflow, commit, host, ranks, backend, start"),
}
POTENTIAL = {
    "parent": (at("potential/parent", -1, 10**9), "potential/parent"),
    "parent to come": (at("potential/parent", 1, 1), "potential/parent"),
    "factor": (at("potential/factor", -1, -(10**9)), "potential/factor"),
    "degree": (at("potential/degree", -1, 99), "potential/degree"),
    "generators": (at("potential/generators", (0, 0, 0), 10**9), "potential/generators"),
    "scale": (at("potential/scale", 0, 0), "potential/scale"),
    "overlap": (at("potential/overlap", (1, 1), 0), "potential/overlap"),
    "coefficients": (retyped("potential/coefficients", "c16"), "potential/coefficients", "complex128[9]"),
    "steps": (at("potential/steps", 0, 7), "potential/steps", "[7]", "step 1"),
    "no basis": (without("potential/overlap"), "potential/overlap"),
}


def rewritten(folder, tmp_path, change):
    """The newest state of a run, changed, with every checksum right."""
    state = load.latest(folder, pytest.fail)
    arrays = dict(state.arrays)
    attributes = {name: value for name, value in state.attributes.items() if name not in ("schema", "step")}
    change(arrays, attributes)
    return commit.write(tmp_path, state.step, arrays, attributes)


def refused(path, *facts):
    with telling(StateError, path, *facts):
        loader.read(path)


@pytest.mark.parametrize("case", COMPONENTS)
def test_what_no_run_wrote_is_refused(run, tmp_path, case):
    change, *facts = COMPONENTS[case]
    refused(rewritten(run, tmp_path, change), *facts)


@pytest.mark.parametrize("case", POTENTIAL)
def test_a_potential_that_no_run_wrote_is_refused(kaehler, tmp_path, case):
    change, *facts = POTENTIAL[case]
    refused(rewritten(kaehler, tmp_path, change), *facts)


def test_a_state_of_a_run_is_believed(run, kaehler, tmp_path):
    for folder in (run, kaehler):
        assert newest(folder).step > 0 and all(sound for _, sound, _ in loader.verify(folder))
        assert loader.read(rewritten(folder, tmp_path, lambda arrays, attributes: None)).step > 0


def test_a_state_of_another_run_is_foreign_in_a_folder_and_opens_by_itself(run, tmp_path):
    folder = shutil.copytree(run, tmp_path / "run")
    other = made(tmp_path / "other", "flow.steps=3", "kernel.width=0.3")
    foreign = naming.state_path(folder, 3)
    shutil.copy(naming.state_path(other, 3), foreign)
    with telling(ForeignError, foreign, folder / "run.toml", "kernel.width: 0.3 -> 0.4"):
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
        with telling(StateError, folder / "run.toml"):
            ask(folder)
