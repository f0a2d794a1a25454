"""State files: what is written is read back bit for bit, by us and by others; what has no place is refused."""

from __future__ import annotations

import hashlib
import shutil
import subprocess

import h5py
import numpy as np
import pytest
from facts import telling
from states import ATTRIBUTES, SIZES, datasets, same, small_arrays

from mpiflow.errors import NumericalError, StateError
from mpiflow.state import commit, load, naming, schema, upgrade


@pytest.fixture
def path(tmp_path):
    return commit.write(tmp_path, 20, small_arrays(), ATTRIBUTES)


def test_a_state_is_read_back_bit_for_bit(path):
    state = load.read(path)
    assert same(state.arrays, small_arrays())
    assert state.step == 20
    assert state.attributes == ATTRIBUTES | {"schema": schema.SCHEMA, "step": 20}


def test_equal_states_are_equal_files(path, tmp_path):
    (tmp_path / "other").mkdir()
    other = commit.write(tmp_path / "other", 20, small_arrays(), ATTRIBUTES)
    assert path.read_bytes() == other.read_bytes()


def test_nothing_but_the_state_is_left_in_the_folder(path, tmp_path):
    assert list(tmp_path.iterdir()) == [path]


def test_the_seal_can_be_checked_with_sha256sum(path):
    content = path.read_bytes()
    assert hashlib.sha256(content[512:]).hexdigest().encode() in content[:512]


def test_every_dataset_has_dimensions_units_and_meaning(path):
    with h5py.File(path) as file:
        for name, dataset in datasets(file).items():
            assert tuple(dim[0].name.strip("/") for dim in dataset.dims) == schema.field(name).dims
            assert dataset.attrs["units"] and dataset.attrs["description"]


def test_complex_is_the_compound_of_h5py(path):
    with h5py.File(path) as file:
        compound = file["metric/current"].id.get_type()
        assert [compound.get_member_name(i) for i in range(2)] == [b"r", b"i"]


def test_xarray_reads_every_group(path):
    xarray = pytest.importorskip("xarray")
    for group in {name.split("/")[0] for name in small_arrays()}:
        with xarray.open_dataset(path, engine="h5netcdf", group=group) as data:
            for name, variable in data.variables.items():
                np.testing.assert_array_equal(variable.values, small_arrays()[f"{group}/{name}"])
                assert variable.dims == schema.field(f"{group}/{name}").dims


@pytest.mark.skipif(not shutil.which("h5dump"), reason="h5dump is not installed")
def test_h5dump_reads_it(path):
    dump = subprocess.run(["h5dump", "-d", "/history/step", path], capture_output=True, text=True, check=True)
    assert str(small_arrays()["history/step"][0]) in dump.stdout


def test_empty_histories_are_states_too(tmp_path):
    arrays = {
        "history/step": np.empty(0, int),
        "history/loss": np.empty(0),
        "metric/current": np.ones((0, 3, 3), "c16"),
    }
    assert same(load.read(commit.write(tmp_path, 0, arrays, {})).arrays, arrays)


def test_long_texts_fit(tmp_path):
    text = "é" * 1_000_000
    assert load.read(commit.write(tmp_path, 0, {}, {"provenance": text})).attributes["provenance"] == text


def test_strided_arrays_are_written_by_value(tmp_path):
    z = small_arrays()["points/z"]
    state = load.read(commit.write(tmp_path, 0, {"points/z": np.asfortranarray(z)}, {}))
    np.testing.assert_array_equal(state.arrays["points/z"], z)


def test_an_unknown_name_is_refused_until_it_is_registered(tmp_path, monkeypatch):
    monkeypatch.setattr(schema, "LAYOUT", dict(schema.LAYOUT))
    arrays = {"flow/kappa": np.ones(3)}
    with telling(StateError, "'flow/kappa'", "points/z"):
        commit.write(tmp_path, 0, arrays, {})
    schema.register("flow/kappa", ("record",), "f", "1", "volume ratio of each step")
    assert same(load.read(commit.write(tmp_path, 0, arrays, {})).arrays, arrays)


@pytest.mark.parametrize(
    "name, array, facts",
    [
        ("metric/current", np.ones((5, 3, 3), "c16"), (5, "'point'", 40)),
        ("metric/current", np.ones((SIZES["point"], 3), "c16"), ("<c16[40, 3]", "('point', 'row', 'column')")),
        ("split/train", np.ones(SIZES["train"], bool), ("|b1[24]", "'iu'")),
    ],
)
def test_a_wrong_shape_or_kind_is_refused(tmp_path, name, array, facts):
    with telling(StateError, name, *facts):
        commit.write(tmp_path, 0, small_arrays() | {name: array}, {})


def test_a_nan_never_reaches_a_file(tmp_path):
    arrays = small_arrays()
    arrays["metric/current"][17, 1, 2] = complex(0, np.nan)
    with telling(NumericalError, "metric/current[17, 1, 2]"):
        commit.write(tmp_path, 0, arrays, {})
    assert not list(tmp_path.iterdir())


def test_only_text_and_numbers_are_attributes(tmp_path):
    with telling(StateError, "'config'", "dict"):
        commit.write(tmp_path, 0, {}, {"config": {"a": 1}})


def test_latest_is_the_newest_that_validates(tmp_path):
    for step in (5, 100000005, 40):
        commit.write(tmp_path, step, small_arrays(step), {})
    newest = naming.state_path(tmp_path, 100000005)
    newest.write_bytes(newest.read_bytes()[:-1])
    said = []
    assert load.latest(tmp_path, said.append).step == 40
    assert len(said) == 1 and newest.name in said[0]


def test_an_empty_folder_has_no_latest_state(tmp_path):
    assert load.latest(tmp_path, pytest.fail) is None


def test_verify_speaks_of_every_file(tmp_path):
    good, bad = (commit.write(tmp_path, step, small_arrays(), {}) for step in (1, 2))
    bad.write_bytes(bad.read_bytes().replace(b"Fubini", b"fubini"))
    leftover = naming.temporary(good)
    leftover.touch()
    assert [(path, sound) for path, sound, _ in load.verify(tmp_path)] == [(good, True), (bad, False), (leftover, True)]


def test_a_renamed_state_is_refused(path):
    with telling(StateError, naming.state_path(path.parent, 30), 20):
        load.read(path.rename(naming.state_path(path.parent, 30)))
    load.read(naming.state_path(path.parent, 30).rename(path.parent / "best.h5"))


def test_a_newer_schema_is_refused_and_nothing_older_is_used(tmp_path, monkeypatch):
    commit.write(tmp_path, 1, small_arrays(), {})
    monkeypatch.setattr(schema, "SCHEMA", 999)
    commit.write(tmp_path, 2, small_arrays(), {})
    with telling(upgrade.NewerStateError, naming.state_path(tmp_path, 2), "schema 999"):
        load.latest(tmp_path, pytest.fail)


def test_upgrades_run_one_version_at_a_time(monkeypatch):
    monkeypatch.setattr(
        upgrade,
        "STEPS",
        {
            1: lambda arrays, attributes: (arrays | {"b": arrays["a"] + 1}, attributes),
            2: lambda arrays, attributes: (arrays | {"c": arrays["b"] * 2}, attributes | {"seen": True}),
        },
    )
    assert upgrade.upgrade("x", 1, {"a": 1}, {}, newest=3) == ({"a": 1, "b": 2, "c": 4}, {"seen": True})
