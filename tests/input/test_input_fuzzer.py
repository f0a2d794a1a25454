"""Run files, --set values and points files at random: each works or is refused in lines that can be shown; no traceback.

300 of each; MPIFLOW_FUZZ=10000 tries more. What was found stays as an example.
"""

from __future__ import annotations

import io
import os
from functools import cache

import numpy as np
import pytest
import tomli_w
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mpiflow import config, cymetric, sampling
from mpiflow.comm import Comm
from mpiflow.errors import InputError
from mpiflow.geometry.families.fermat import Fermat
from mpiflow.settings.whole import Config

TRIES = settings(
    max_examples=int(os.environ.get("MPIFLOW_FUZZ", 300)),
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
JOB = '[kernel]\nname = "gaussian"\nwidth = 0.4\n[flow]\nsteps = 1\ndt = 0.1\n'
SURFACE = Fermat(ambient=2).equation()

SECTIONS = list(Config.model_fields)
KEYS = sorted({key for name in SECTIONS for key in getattr(Config.model_fields[name].annotation, "model_fields", {})})
KEYS += ["name", "width", "depth", "w_std", "degree", "features", "ridge", "kind", "batch", "", "a.b", "é\x1b"]
WORDS = [
    "all",
    "kaehler",
    "gaussian",
    "relu",
    "delta",
    "potential",
    "halo",
    "symmetric",
    "polynomial",
    "dwork",
    "x.py:K",
]
SCALARS = (
    st.sampled_from(WORDS)
    | st.integers()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.booleans()
    | st.text(max_size=8)
    | st.dates()
    | st.datetimes()
    | st.sampled_from([0, 1, -1, 2, 1e-320, 1e308, 2**63, 10**12])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=6,
)
TABLES = st.dictionaries(
    st.sampled_from(SECTIONS) | st.text(max_size=3),
    st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4) | VALUES,
    max_size=4,
)


@cache
def folder():
    import tempfile
    from pathlib import Path

    return Path(tempfile.mkdtemp(prefix="mpiflow-fuzz-"))


def held(act):
    """What an input comes to: its result, or None where it is refused as it should be."""
    try:
        return act()
    except InputError as refusal:
        for line in map(str, refusal.args):
            assert line.strip() and len(line) < 2000, line
        return None


def read(content, overrides=()):
    """A run file of these bytes: where it is taken, what is written of it means the same."""
    path = folder() / "run.toml"
    path.write_bytes(content)
    found = held(lambda: config.read(path, list(overrides)))
    if found is not None and not (found.kernel and found.kernel.source):
        # No state remembers the study that a run may be of.
        again = config.loads(found.text())
        assert again == found.model_copy(update={"tune": again.tune})
    return found


@TRIES
@given(TABLES, st.booleans())
@example({"kernel": {"name": "kaehler", "degree": 2**70}}, True)
@example({"manifold": {"family": "polynomial", "monomials": [], "coefficients": []}}, True)
@example({"kernel": []}, True)
@example({"kernel": {"name": "x.py:K"}}, False)
def test_tables(table, whole):
    base = {"kernel": {"name": "gaussian", "width": 0.4}, "flow": {"steps": 1, "dt": 0.1}}
    for name, section in table.items() if whole else ():
        merged = isinstance(section, dict) and isinstance(base.get(name), dict)
        base[name] = base[name] | section if merged else section
    read(tomli_w.dumps(base if whole else table).encode("utf-8", "surrogatepass"))


def spliced(text, cuts):
    for place, junk in cuts:
        place %= len(text) + 1
        text = text[:place] + junk + text[place + len(junk) // 2 :]
    return text


@TRIES
@given(st.lists(st.tuples(st.integers(0, 10**6), st.binary(max_size=5)), max_size=6))
@example([(0, b"\xff")])
@example([(0, b"\xef\xbb\xbf")])
@example([(60, b"[" * 100_000)])
@example([(60, b"x = " + b"9" * 5000)])
@example([(60, b"x = 0x" + b"f" * 5000)])
@example([(60, b"x = {a = " * 2000)])
def test_bytes(cuts):
    read(spliced(JOB.encode(), cuts))


@TRIES
@given(
    st.text(max_size=30)
    | st.builds(
        "{}.{}={}".format, st.sampled_from(SECTIONS), st.sampled_from(KEYS), st.text(max_size=20) | SCALARS.map(str)
    )
)
@example("flow.dt=0.1\nclip = 3")
@example("flow.dt=0.1\n[run]\nname = 'x'")
@example("flow.steps=" + "9" * 5000)
@example("flow.steps=0x" + "f" * 5000)
@example("flow.dt=" + "[" * 100_000)
@example("flow.dt=" + "{a=" * 2_000)
@example("kernel.name=\0.py:K")
@example("points.file=\0")
@example("run.name=\ud800")
@example("tune.seed=0")
def test_overrides(override):
    read(JOB.encode(), [override])


@cache
def sound():
    """A sound points file of a torus, as arrays and as bytes."""
    halves = [sampling.sample(Comm(), SURFACE, 40, 3, stream)[1] for stream in (sampling.TRAIN, sampling.TEST)]
    path = folder() / "sound.npz"
    cymetric.write(path, SURFACE, *halves)
    with np.load(path) as file:
        return {name: file[name] for name in file.files}, path.read_bytes()


def points(content):
    """What is read of a points file of these bytes: points of X with their own weights, or a refusal."""
    path = folder() / "points.npz"
    path.write_bytes(content)
    found = held(lambda: cymetric.read(path, SURFACE, sampling.TRAIN, None, 30))
    if found is not None:
        ours = SURFACE.described(found.z)
        assert np.abs(SURFACE.value(found.z)).max() < 1e-7
        np.testing.assert_allclose(found.weight / found.weight[0], ours.weight / ours.weight[0], rtol=1e-5)
        np.testing.assert_allclose(found.omega2, ours.omega2, rtol=1e-5)
    return found


@TRIES
@given(st.lists(st.tuples(st.integers(0, 10**6), st.binary(max_size=8)), max_size=4))
@example([(0, b"\x93NUMPY")])
def test_bytes_of_points(cuts):
    points(spliced(sound()[1], cuts))


CHANGES = st.tuples(
    st.sampled_from(["X_train", "y_train", "X_val", "measure", "density_train"]),
    st.sampled_from(["scale", "set", "drop", "dtype", "shape", "rows", "repeat", "other"]),
    st.integers(0, 39),
    st.sampled_from([0.0, 1.0, -1.0, np.nan, np.inf, 1e300, 5e-324, 1 + 1e-3, 2.0]),
)


def changed(arrays, name, how, row, value):
    """One change of the arrays of a points file."""
    a = arrays.get(name, np.ones(40))
    if a.dtype.kind in "US" and how not in ("drop", "other"):
        return arrays | {name: np.arange(row)}
    if how == "drop":
        return {key: array for key, array in arrays.items() if key != name}
    with np.errstate(all="ignore"):
        new = {
            "scale": lambda: a * value if a.dtype.kind == "f" else a,
            "set": lambda: (
                np.where(np.arange(len(a)).reshape(-1, *[1] * (a.ndim - 1)) == row, value, a) if a.ndim else value
            ),
            "dtype": lambda: a.astype(["f4", "f2", "c16", "U9", "i8", "S3", "?", "f16"][row % 8]),
            "shape": lambda: (
                [a[None], a.ravel(), a[..., None], np.float64(row), a[:0], np.zeros((0, 0, 0))][row % 6]
                if a.ndim
                else a[None]
            ),
            "rows": lambda: a[:row] if a.ndim else a,
            "repeat": lambda: np.concatenate([a, a[row : row + 1]]) if a.ndim else a,
            "other": lambda: np.array(["line", "density", "", "é" * 99][row % 4]),
        }[how]()
    return arrays | {name: np.asarray(new)}


@TRIES
@given(st.lists(CHANGES, min_size=1, max_size=3))
@example([("X_train", "shape", 3, 1.0)])
@example([("X_train", "rows", 0, 1.0), ("y_train", "rows", 0, 1.0)])
@example([("y_train", "scale", 0, 5e-324)])
@pytest.mark.filterwarnings("ignore")
def test_arrays_of_points(changes):
    arrays = sound()[0]
    for change in changes:
        arrays = changed(arrays, *change)
    memory = io.BytesIO()
    np.savez(memory, **arrays)
    points(memory.getvalue())
