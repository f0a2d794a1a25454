"""Complete intersections through every room: HR's protocol and a potential, begun on two ranks, resumed on one, planned."""

import numpy as np
import pytest
from dropping import begin, holds
from facts import telling

import mpiflow
from jobs import mpiflow as command
from jobs import result
from mpiflow import config, cymetric
from mpiflow.belief import loader
from mpiflow.errors import InputError
from mpiflow.sampling import TRAIN

HR = """
[manifold]
family = "bicubic"
kaehler = [1.0, 1.5]
[points]
train = 200
test = 40
chart = [0, 3, 1]
[clusters]
count = 3
batch = 70
[kernel]
name = "gaussian"
width = 0.4
[flow]
steps = 4
dt = 0.03
normalisation = "row"
coupling = "halo"
[output]
every_steps = 2
"""
POTENTIAL = """
[run]
inner = "float32"
[manifold]
family = "configuration"
ambient = [1, 2]
degrees = [[2, 3]]
kaehler = [1.0, 2.0]
seed = 2
[points]
train = 700
test = 100
chart = "all"
[kernel]
name = "kaehler"
features = "sections"
potential = "log"
degree = 2
ridge = 1e-4
ladder = [1, 2]
rung = 2
[flow]
steps = 4
dt = 1.0
search = { name = "gauss-newton", inner = 20 }
"""
SYMMETRIC = """
[manifold]
family = "two-cubics"
[points]
train = 200
test = 40
chart = "all"
[kernel]
name = "kaehler"
features = "invariant-sections"
degree = 4
[flow]
steps = 4
dt = 0.5
"""
NETWORK = """
[manifold]
family = "configuration"
ambient = [1, 2]
degrees = [[2, 3]]
kaehler = [1.0, 1.4]
seed = 2
[points]
train = 150
test = 40
chart = "all"
[network]
kind = "potential"
width = 8
depth = 2
batch = 50
[flow]
steps = 4
dt = 0.01
loss = "sigma"
"""
RUNS = {"components": HR, "potential": POTENTIAL, "symmetric": SYMMETRIC, "network": NETWORK}


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """Both run files, begun on two ranks."""
    paths = {}
    for name, text in RUNS.items():
        paths[name] = tmp_path_factory.mktemp(name) / "run.toml"
        paths[name].write_text(text)
    begin(*paths.values())
    return paths


@pytest.mark.parametrize("name", RUNS)
def test_it_runs_from_a_run_file_to_an_evaluation(name, begun):
    path = begun[name]
    model = holds(path)
    assert all(sound for _, sound, _ in loader.verify(path.parent / "parts"))
    if name == "potential":
        assert model.evaluate(100, 5)[1].gain > 1.3
        assert model.curvature(600, 5).error < 10
        assert model.difference(mpiflow.open(path.parent / "whole"), 40, 1).largest < 1e-12
        assert model.volume(100, 5) is None
    if name == "components":
        volume = model.volume(600, 5)
        assert volume.exact == 33.75 and 0 < volume.error < 1 and abs(volume.found - 33.75) < 3 * volume.error
        assert "intersection numbers say 33.75" in command("evaluate", path.parent / "whole", "--points", 40).stdout
    if name == "symmetric":
        assert "72 permutations, 81 phases and conjugation" in command("info", path.parent / "whole").stdout


def test_its_points_go_to_cymetric_and_back(begun, tmp_path):
    file = tmp_path / "points.npz"
    assert command("points", begun["potential"], "-o", file).returncode == 0
    again = config.read(begun["potential"], [f'points.file="{file}"', "flow.steps=2"])
    mpiflow.run(again, tmp_path / "again")
    fresh = config.read(begun["potential"], ["flow.steps=2"])
    mpiflow.run(fresh, tmp_path / "fresh")
    found, wanted = result(tmp_path / "again"), result(tmp_path / "fresh")
    assert found["points/z"] == wanted["points/z"]
    with np.load(file) as arrays:
        assert arrays["val_pullbacks"].shape == (100, 2, 5)
    surface = fresh.surface()
    points = cymetric.read(file, surface, TRAIN, None, 700)
    np.testing.assert_allclose(points.weight, surface.described(points.z).weight, rtol=1e-9)


REFUSED = {
    ("manifold.degrees = [[2, 2]]", "P^2", 2, 3): "manifold.degrees=[[2, 2]]",
    ("manifold.kaehler = [1.0, -1.0]", 0): "manifold.kaehler=[1.0, -1.0]",
    ("points.chart = [0, 1]", "[0, 2, 1]", '"all"'): "points.chart=[0, 1]",
    ("kernel.degree = 2", "(2, 2.6)", "manifold.kaehler"): "manifold.kaehler=[1.0, 1.3]",
    ('kernel.features = "generic"', 'kernel.features = "sections"'): 'kernel.features="generic"',
}


@pytest.mark.parametrize("facts", REFUSED, ids=str)
def test_what_is_no_run_is_one_line_before_any_work(facts, begun, tmp_path):
    with telling(InputError, *facts):
        mpiflow.run(config.read(begun["potential"], [REFUSED[facts]]), tmp_path / "run")
    assert not (tmp_path / "run").exists()


EQUATIONS = """family = "equations"
ambient = [3]
monomials = [[[4, 0, 0, 0], [0, 4, 0, 0], [0, 0, 4, 0], [0, 0, 0, 4]]]
coefficients = [[1.0, 1.0, 1.0, 1.0]]
"""


def test_equations_that_are_written_out_are_checked_before_any_work(tmp_path):
    path = tmp_path / "run.toml"

    def read(old="", new=""):
        keys = POTENTIAL.partition("[points]")[2].replace("degree = 2", "degree = 3").replace("[1, 2]", "[2, 3]")
        path.write_text(f"[manifold]\n{EQUATIONS.replace(old, new)}[points]{keys}")
        return config.read(path).surface()

    assert read().off(np.array([[1, np.exp(1j * np.pi / 4), 1, np.exp(1j * np.pi / 4)]])) < 1e-14
    for old, new, *facts in (
        ("1.0, 1.0]]", "1.0, 0.0]]", "manifold: Q"),
        (", 1.0]]", "]]", "manifold.coefficients", "[3]", "[4]"),
        ("[0, 0, 0, 4]", "[0, 0, 0, 3]", "manifold.monomials", "equation 0", "[(3,), (4,)]"),
        ("[0, 0, 0, 4]", "[0, 0, 4]", "manifold.monomials", 4, "P^3"),
    ):
        with telling(InputError, *facts):
            read(old, new)
