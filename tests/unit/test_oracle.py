"""scripts/oracle tells equal numbers from differing and missing ones, and its cases are run files."""

import json
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

import h5py
import numpy as np
import pytest

from mpiflow.config import loads


@pytest.fixture(scope="module")
def oracle():
    loader = SourceFileLoader("oracle", str(Path(__file__).parents[2] / "scripts" / "oracle"))
    module = module_from_spec(spec_from_loader("oracle", loader))
    loader.exec_module(module)
    return module


def state(folder, step=4, values=(1.0, np.nan, -0.5), sigma=0.25, conformal=1e-16, gain=None, defect=4e-10, **more):
    """What a run leaves, by hand: an older state, the newest one, and its evaluation."""
    (folder / "run").mkdir(parents=True)
    for number in (0, step):
        with h5py.File(folder / "run" / f"state-{number:08d}.h5", "w") as file:
            file["flow/gradient"] = np.asarray(values) * (number > 0)
            file["timing/flow"] = np.random.default_rng().random(1)
            file["note"] = "text"
            for name, item in more.items():
                file[name] = item
    rows = [
        {"metric": "flow", "sigma": sigma, "defect": defect},
        {"metric": "conformal", "sigma": conformal, "gain": gain},
    ]
    (folder / "evaluation.json").write_text(json.dumps({"step": step, "ricci": float("nan"), "evaluation": rows}))
    return folder


@pytest.fixture
def compared(oracle, tmp_path):
    def verdict(new, **options):
        return oracle.verdict(
            oracle.numbers(state(tmp_path / "old")), oracle.numbers(state(tmp_path / "new", **new)), **options
        )

    return verdict


def test_equal_numbers_are_equal_whatever_the_timing(compared):
    assert compared({}) == ("equal", "equal")


@pytest.mark.parametrize(
    ("new", "where"),
    [
        ({"values": (1.0, np.nan, np.nextafter(-0.5, 0))}, "flow/gradient"),
        ({"values": (1.0, 2.0, -0.5)}, "inf in flow/gradient"),
        ({"values": np.float32([1.0, np.nan, -0.5])}, "flow/gradient"),
        ({"values": (1.0, np.nan)}, "inf in flow/gradient"),
        ({"sigma": np.nextafter(0.25, 1)}, "evaluation/evaluation/flow/sigma"),
        ({"step": 5}, "evaluation/step"),
    ],
    ids=["last bit", "nan", "type", "shape", "evaluation", "step"],
)
def test_a_difference_is_told_with_its_name(compared, new, where):
    kind, told = compared(new)
    assert kind == "differ" and where in told


def test_the_tolerance_is_for_rounding_alone(oracle, compared):
    rounded = {"values": (1.0, np.nan, -0.5 - 1e-15), "conformal": 3e-16, "gain": 1e15, "defect": 4e-10 + 1e-12}
    assert compared(rounded, tolerance=1e-13)[0] == "within tolerance"
    one = {"a": np.array([1.0, 1e-20])}
    assert oracle.verdict(one, {"a": np.array([1.0 + 1e-12, 1e-20])}, 1e-13)[0] == "differ"
    assert oracle.verdict(one, {"a": np.array([1.0, 2e-20])}, 1e-13)[0] == "within tolerance"
    assert (
        oracle.verdict({"evaluation/gain": np.array(1e3)}, {"evaluation/gain": np.array(1.001e3)}, 1e-13)[0] == "differ"
    )


def test_what_one_side_lacks_is_told(compared):
    kind, told = compared({"extra": 1.0})
    assert kind == "missing" and told == "equal; only in new: extra"


def test_new_names_may_be_allowed_and_lost_ones_never(oracle, compared):
    assert compared({"extra": 1.0}, new_names=True) == ("equal", "equal; only in new: extra")
    assert oracle.verdict({"a": np.ones(1), "b": np.ones(1)}, {"a": np.ones(1)}, new_names=True)[0] == "missing"
    assert oracle.verdict({}, {})[0] == "missing"


def test_every_case_is_a_run_file(oracle):
    for name, case in oracle.CASES.items():
        assert loads(oracle.run_file(case)).flow.steps >= len(case.ranks), name


def test_networks_are_skipped_without_jax(oracle, monkeypatch):
    monkeypatch.setattr(oracle.util, "find_spec", lambda name: None)
    assert oracle.judged("network float32", {"old": None, "new": None}, None, None)[0] == "skipped"
