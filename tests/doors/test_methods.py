"""A flow of a new kind, a manifold that is no complete intersection, and what is neither points nor a grid: one file each."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from dropping import begin, holds
from facts import telling
from house import with_file
from inside import mpiflow as inside
from inside import refused

import mpiflow
from jobs import result
from mpiflow import config
from mpiflow.belief import loader
from mpiflow.errors import InputError, StateError
from mpiflow.methods import registry
from mpiflow.plan import report
from mpiflow.plan.fit import Limits
from mpiflow.plan.machine import Machine

DROPPED = Path(__file__).parent / "dropped"
#: The flow on the manifold, each in a file of its own, on all charts; and what is neither.
RUNS = {
    "points": """
[manifold]
family = "double_plane.py:DoublePlane"
[points]
train = 330
test = 60
chart = "all"
[kernel]
name = "conformal.py:Conformal"
[flow]
steps = 5
dt = 0.8
""",
    "group": """
[manifold]
family = "left_invariant.py:Berger"
[kernel]
name = "left_invariant.py:Ricci"
[flow]
steps = 5
dt = 0.01
""",
}
#: Of components on that manifold, in clusters.
GAUSSIAN = {
    "points": {"train": 330, "test": 60, "chart": [0, 3]},
    "clusters": {"count": 2, "batch": 170},
    "kernel": {"name": "gaussian", "width": 0.6},
    "flow": {"steps": 5, "dt": 0.03, "normalisation": "row", "coupling": "halo", "halo_tolerance": 0.1},
}
STUDY = """
[tune.space]
"manifold.family" = ["double_plane.py:DoublePlane"]
"kernel.start" = [0.0, 0.2]
"""


def written(folder, text):
    for path in DROPPED.glob("*.py"):
        shutil.copy(path, folder)
    (folder / "run.toml").write_text(text)
    return folder / "run.toml"


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """A run file of each of these, begun on two ranks."""
    found = {name: written(tmp_path_factory.mktemp(name), text) for name, text in RUNS.items()}
    begin(*found.values())
    return found


def test_a_flow_of_a_kind_of_its_own_is_one_file(begun):
    train, fresh, _, _ = holds(begun["points"]).evaluate(60, 5)
    # The closed form, to which it flows, is of no use: it is not Kaehler.
    assert min(train.gain, fresh.gain) > 100 and train.defect > 0.1
    with h5py.File(begun["points"].parent / "parts" / "state-00000005.h5") as state:
        assert abs(state["method/power"][0] - 1 / 2) < 0.01
        assert state["method/power"].attrs["description"] == "p of g = h^p g_FS"


def test_a_state_is_held_by_what_its_file_says_of_it(begun):
    folder = begun["points"].parent / "parts"
    assert all(sound for _, sound, _ in loader.verify(folder))
    state = loader.latest(folder, pytest.fail)
    state.arrays["method/power"] = np.array([1e9])
    loader.agree(state)
    with telling(StateError, state.path, "method/power[0] = 1000000000.0"):
        loader.opened(state)


def test_a_manifold_beyond_complete_intersections_is_one_file(begun):
    run = config.read(begun["points"])
    table = GAUSSIAN | {"manifold": {"family": run.manifold.name}}
    model = mpiflow.run(table)
    train, fresh, _, reference = model.evaluate(60, 5)
    assert train.gain > 1.1 and fresh.gain > 1.1 and reference.defect < 1e-8
    volume = model.volume(4000, 2)
    assert volume.exact == 2 and abs(volume.found - 2) < 3 * volume.error < 0.2


def test_it_has_charts_like_any(begun):
    surface = config.read(begun["points"]).surface()
    p = mpiflow.sample(config.read(begun["points"]), 50)
    for i, j in ((0, 1), (1, 2), (2, 3)):
        other = np.broadcast_to(np.array([i, j], np.int8), p.chart.shape)
        t = surface.transition(p.z, p.chart, other)
        moved = t.transpose(0, 2, 1) @ surface.reference(p.z, p.chart) @ t.conj()
        there = surface.in_chart(p.z, other)
        assert np.allclose(moved, surface.reference(there, other), rtol=1e-9)
        assert np.allclose(np.abs(np.linalg.det(t)) ** 2 * surface.omega2(p.z, p.chart), surface.omega2(there, other))


def test_what_is_neither_points_nor_a_grid_is_one_file(begun):
    path = begun["group"]
    for folder in ("parts", "whole"):
        done = inside(["run", str(path), "-o", folder], path.parent)
        assert done.returncode == 0, done.stderr
    assert result(path.parent / "parts") == result(path.parent / "whole")
    with h5py.File(path.parent / "whole" / "state-00000005.h5") as state:
        # The round sphere shrinks as 1 - 4 t.
        assert np.allclose(state["method/a_b_c"], 0.8, rtol=1e-14)
    assert inside("verify parts", path.parent).returncode == 0
    assert report.facts(config.read(path), path, 2, Limits(64, 4), Machine())["engine"] == "three numbers"
    refused(
        inside("evaluate parts", path.parent), "parts: ", f'manifold.family = "{path.parent}/left_invariant.py:Berger"'
    )


def test_what_does_not_go_together_is_one_line(begun, tmp_path):
    with telling(InputError, "manifold.family", 'kernel.name = "grid"'):
        config.read(begun["group"], ["kernel.name=grid"])
    with telling(InputError, 'manifold.family = "fermat"', "kernel.name"):
        config.read(begun["group"], ["manifold.family=fermat"])
    path = written(tmp_path, RUNS["points"])
    text = (tmp_path / "conformal.py").read_text()
    (tmp_path / "conformal.py").write_text(text.replace("def load(", "def loads("))
    with telling(InputError, f'kernel.name = "{tmp_path}/conformal.py:Conformal"', "load"):
        config.read(path)


def test_studies_and_members_take_them_and_a_study_may_be_moved(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    written(old, RUNS["points"].replace("330", "100") + STUDY)
    assert inside("tune run.toml -o study --trials 1", old).returncode == 0
    old.rename(new)
    assert inside("tune run.toml -o study --trials 2", new).returncode == 0
    best = (new / "study" / "best.toml").read_text()
    assert '"../double_plane.py:' in best and '"../conformal.py:' in best and str(new) not in best
    new.rename(old)
    old.rename(new := tmp_path / "newer")
    assert inside("run study/best.toml -o best --set flow.steps=1", new).returncode == 0
    assert (new / "study" / "trials.csv").read_text().count("complete") == 2
    other = 'tune run.toml -o other --set \'tune.space={"manifold.family" = ["conformal.py:X"]}\''
    refused(inside(other, new), "tune.space", 'manifold.family = "conformal.py:X"')
    done = inside("members run.toml -o members --each kernel.start=0.1 --set flow.steps=1", new)
    assert done.returncode == 0 and "1 of 1 members done" in done.stdout
    with (new / "double_plane.py").open("a") as file:
        file.write("# changed\n")
    refused(inside("tune run.toml -o study --trials 3", new), "manifold_sha256")


@pytest.mark.parametrize("verb", registry.VERBS)
def test_every_method_of_ours_has_the_verbs(verb):
    for kind in registry.KERNELS.known().values():
        assert callable(getattr(registry.module(kind), verb))


def test_in_the_house_it_is_the_same_file(tmp_path):
    text = (DROPPED / "conformal.py").read_text().replace("    answers", '    name = "conformal"\n    answers', 1)
    _, house = with_file(tmp_path, "methods/conformal.py", text)
    check = "from mpiflow import config; from mpiflow.methods import registry; "
    check += "found = config.check({'kernel': {'name': 'conformal'}, 'flow': {'dt': .2}}, 'x'); "
    check += "assert registry.of(found).__name__ == 'mpiflow.methods.conformal'"
    done = subprocess.run([sys.executable, "-c", check], cwd=tmp_path, env=os.environ | house, check=False)
    assert done.returncode == 0
