"""Run files: garbage is refused before any work, in one line that names key, value and cure."""

import errno

import pytest
from facts import telling

from mpiflow import config
from mpiflow.errors import InputError

GOOD = {"kernel": {"name": "gaussian", "width": 0.3}, "flow": {"dt": 0.1}}

BAD = {
    ("flow.dt = -0.1", 0): {"flow": {"dt": -0.1}},
    ("flow.dt = nan",): {"flow": {"dt": float("nan")}},
    ("flow.speed", "steps, dt, loss"): {"flow": {"dt": 1, "speed": 2}},
    ("speed", "run, manifold, points"): {"speed": {}},
    ("kernel.depth", "name, rescale, width"): {"kernel": {"name": "gaussian", "width": 0.3, "depth": 2}},
    ('kernel.name = "gauss"', "cosine, delta, erf, gauss-net, gaussian, gelu, relu, grid, kaehler"): {
        "kernel": {"name": "gauss"}
    },
    ("kernel", "[kernel]", "[network]"): {"kernel": None},
    ("clusters.count = 2000", 1000, "clusters.batch"): {"clusters": {"count": 2000}},
    ("clusters.count = 4", 1, "clusters.batch"): {"clusters": {"count": 4, "batch": 333}},
    ('points.chart = "all"', "gaussian", 'kernel.name = "kaehler"'): {"points": {"chart": "all"}},
    ("points.chart = [0, 7]", "0..4"): {"points": {"chart": [0, 7]}},
    ("points.chart = 3", '"all"'): {"points": {"chart": 3}},
    ("points.train = 0", 2): {"points": {"train": 0}},
    ("manifold.psi", "[re, im]", "psi = 0.5", "family, ambient, psi"): {"manifold": {"family": "dwork"}},
    ("manifold.seed", "seed = 1", "family, ambient, seed"): {"manifold": {"family": "random"}},
    ("manifold.seed", "family, ambient"): {"manifold": {"seed": 3}},
    ("manifold.psi = 1e+60", "1e6"): {"manifold": {"family": "dwork", "psi": 1e60}},
    ("manifold.psi = [1, 2, 3]", "[re, im]"): {"manifold": {"family": "dwork", "psi": [1, 2, 3]}},
    ("manifold.monomials.0.1 = 10000000000", 6): {
        "manifold": {"family": "polynomial", "monomials": [[0, 10**10]], "coefficients": [1]}
    },
    ("manifold.ambient = 7", 5): {"manifold": {"ambient": 7}},
    ('engine.mode = "symmetric"', 'flow.coupling = "all"', '"streamed"'): {
        "clusters": {"count": 4, "batch": 500},
        "engine": {"mode": "symmetric"},
    },
    ("run.precision = 'half'", "'float32'", "'float64'"): {"run": {"precision": "half"}},
}

SURFACES = {
    ("manifold.psi = 1.0",): {"family": "dwork", "psi": 1.0},
    ("manifold.monomials = [0, 1, 3]", 4, "P^2", 3): {
        "family": "polynomial",
        "ambient": 2,
        "monomials": [[3, 0, 0], [0, 1, 3]],
        "coefficients": [1, 1],
    },
    ("manifold: Q",): {"family": "polynomial", "ambient": 2, "monomials": [[2, 1, 0]], "coefficients": [1]},
    ("manifold.monomials", 5, "P^4"): {"family": "polynomial", "monomials": [[3, 0, 0]], "coefficients": [1]},
}


@pytest.mark.parametrize("facts", BAD, ids=str)
def test_a_mistake_is_named_in_one_line(facts):
    table = {name: section for name, section in (GOOD | BAD[facts]).items() if section is not None}
    with telling(InputError, "x.toml: " + facts[0], *facts[1:]):
        config.check(table, "x.toml")


@pytest.mark.parametrize("facts", SURFACES, ids=str)
def test_manifolds_that_are_not_calabi_yau_or_smooth_are_refused(facts):
    with telling(InputError, *facts):
        config.check(GOOD | {"manifold": SURFACES[facts]}, "x.toml").surface()


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
        with telling(InputError, f"--set {wrong}", "--set flow.dt=1e-3"):
            config.read(path, [wrong])


def test_files_that_cannot_be_read_are_named(tmp_path):
    with telling(InputError, tmp_path / "absent.toml"):
        config.read(tmp_path / "absent.toml")
    with telling(InputError, tmp_path, f"[Errno {errno.EINVAL}]"):
        config.read(tmp_path)
    (tmp_path / "bad.toml").write_text("[flow\n")
    with telling(InputError, tmp_path / "bad.toml", "TOML", "line 1", "column 6"):
        config.read(tmp_path / "bad.toml")


@pytest.mark.parametrize("value", ["0.1\nclip = 3", "0.1\n[run]\nname = 'x'", "0.1\r\nsteps = 3"])
def test_an_override_sets_one_key(tmp_path, value):
    (tmp_path / "run.toml").write_text('[kernel]\nname = "gaussian"\nwidth = 0.3\n[flow]\ndt = 0.1\n')
    with pytest.raises(InputError) as refusal:
        config.read(tmp_path / "run.toml", [f"flow.dt={value}"])
    assert str(refusal.value).startswith(f"--set flow.dt={value}: ")
