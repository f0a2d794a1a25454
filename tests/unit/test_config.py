"""Run files: garbage is refused before any work, in one line that names key, value and cure."""

import pytest

from mpiflow import config
from mpiflow.errors import InputError

GOOD = {"kernel": {"name": "gaussian", "width": 0.3}, "flow": {"dt": 0.1}}

BAD = {
    "flow.dt = -0.1: must be greater than 0": {"flow": {"dt": -0.1}},
    "flow.dt = nan": {"flow": {"dt": float("nan")}},
    "flow.speed: unknown key; the valid ones here are steps, dt": {"flow": {"dt": 1, "speed": 2}},
    "speed: unknown key; the valid ones here are run, manifold": {"speed": {}},
    "kernel.depth: unknown key; the valid ones here are name, width": {
        "kernel": {"name": "gaussian", "width": 0.3, "depth": 2}
    },
    'kernel.name = "gauss": must be one of cosine, delta, erf, gauss-net, gaussian, gelu, relu, grid, kaehler': {
        "kernel": {"name": "gauss"}
    },
    "kernel: missing; give": {"kernel": None},
    "clusters.count = 2000: more clusters than the 1000 points": {"clusters": {"count": 2000}},
    "clusters.count = 4: more clusters than the 1 points of the smallest mini-batch": {
        "clusters": {"count": 4, "batch": 333}
    },
    'points.chart = "all": the components of a gaussian kernel do not transform': {"points": {"chart": "all"}},
    "points.chart = [0, 7]: two different coordinates out of 0..4": {"points": {"chart": [0, 7]}},
    "points.chart = 3: must be": {"points": {"chart": 3}},
    "points.train = 0: must be at least 2": {"points": {"train": 0}},
    "manifold.psi: missing; a number, or [re, im], e.g. psi = 0.5; the valid keys here are family, ambient, psi": {
        "manifold": {"family": "dwork"}
    },
    "e.g. seed = 1; the valid keys here are family, ambient, seed": {"manifold": {"family": "random"}},
    "manifold.seed: unknown key; the valid ones here are family, ambient": {"manifold": {"seed": 3}},
    "manifold.psi = 1e+60: must be finite, and its parts at most 1e6": {"manifold": {"family": "dwork", "psi": 1e60}},
    "manifold.psi = [1, 2, 3]: must be a number, or the two": {"manifold": {"family": "dwork", "psi": [1, 2, 3]}},
    "manifold.monomials.0.1 = 10000000000: must be less than or equal to 6": {
        "manifold": {"family": "polynomial", "monomials": [[0, 10**10]], "coefficients": [1]}
    },
    "manifold.ambient = 7: must be less": {"manifold": {"ambient": 7}},
    'engine.mode = "symmetric": computes each pair of train points once': {
        "clusters": {"count": 4, "batch": 500},
        "engine": {"mode": "symmetric"},
    },
    "run.precision = 'half': must be 'float32' or 'float64'": {"run": {"precision": "half"}},
}

SURFACES = {
    "psi^5 = 1 is a conifold": {"family": "dwork", "psi": 1.0},
    "degree 4 in P^2 is not Calabi-Yau": {
        "family": "polynomial",
        "ambient": 2,
        "monomials": [[3, 0, 0], [0, 1, 3]],
        "coefficients": [1, 1],
    },
    "X is singular there": {"family": "polynomial", "ambient": 2, "monomials": [[2, 1, 0]], "coefficients": [1]},
    "each needs 5 exponents": {"family": "polynomial", "monomials": [[3, 0, 0]], "coefficients": [1]},
}


@pytest.mark.parametrize("message", BAD)
def test_a_mistake_is_named_in_one_line(message):
    table = {name: section for name, section in (GOOD | BAD[message]).items() if section is not None}
    with pytest.raises(InputError) as caught:
        config.check(table, "x.toml")
    lines = str(caught.value).splitlines()
    assert len(lines) == 1 and message in lines[0] and lines[0].startswith("x.toml: ")


@pytest.mark.parametrize("message", SURFACES)
def test_manifolds_that_are_not_calabi_yau_or_smooth_are_refused(message):
    with pytest.raises(InputError) as caught:
        config.check(GOOD | {"manifold": SURFACES[message]}, "x.toml").surface()
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_every_mistake_gets_its_line():
    with pytest.raises(InputError) as caught:
        config.check({"kernel": GOOD["kernel"], "flow": {"dt": -1, "steps": -1}}, "x.toml")
    assert len(str(caught.value).splitlines()) == 2


def test_text_comes_back_as_it_was():
    dwork = {"manifold": {"family": "dwork", "psi": [0.5, 0.1]}, "points": {"chart": [2, 3]}}
    for table in (GOOD, GOOD | dwork, GOOD | {"manifold": {"family": "random", "seed": 7}}):
        settings = config.check(table, "x.toml")
        assert config.loads(settings.text()) == settings


def test_overrides_change_a_key(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text('[kernel]\nname = "gaussian"\nwidth = 0.3\n[flow]\ndt = 0.1\n')
    changed = config.read(path, ["flow.dt=0.5", "run.name=a name; rm -rf ~", "points.chart=[1, 2]"])
    assert changed.flow.dt == 0.5 and changed.points.chart == (1, 2)
    assert changed.run.folder == "a_name_rm_-rf_"
    for wrong in ("flow.dt", "dt=1", "a..c=1"):
        with pytest.raises(InputError, match="must be section.key=value"):
            config.read(path, [wrong])


def test_files_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(InputError, match="no such run file"):
        config.read(tmp_path / "absent.toml")
    with pytest.raises(InputError, match="cannot be read"):
        config.read(tmp_path)
    (tmp_path / "bad.toml").write_text("[flow\n")
    with pytest.raises(InputError, match="not valid TOML"):
        config.read(tmp_path / "bad.toml")


@pytest.mark.parametrize("value", ["0.1\nclip = 3", "0.1\n[run]\nname = 'x'", "0.1\r\nsteps = 3"])
def test_an_override_sets_one_key(tmp_path, value):
    (tmp_path / "run.toml").write_text('[kernel]\nname = "gaussian"\nwidth = 0.3\n[flow]\ndt = 0.1\n')
    with pytest.raises(InputError, match="sets more than one key"):
        config.read(tmp_path / "run.toml", [f"flow.dt={value}"])
