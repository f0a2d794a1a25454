"""Files that lost their end or a bit: detected, told, and the state before them used; never a wrong number."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from facts import tells

from mpiflow.errors import StateError
from mpiflow.state import load, seal


def detected(path, content: bytes) -> str:
    """What reading a file of this content says against it."""
    path.write_bytes(content)
    with pytest.raises(StateError) as told:
        load.read(path)
    return str(told.value)


def test_a_torn_file_is_detected_wherever_it_ends(older_and_newer, is_older, full, row):
    older, newer = older_and_newer
    whole = newer.read_bytes()
    pages = [page + shift for page in range(0, len(whole), 4096) for shift in (-1, 0, 1)]
    chance = np.random.default_rng(3).integers(0, len(whole), 1000 if full else 100)
    cuts = sorted({int(cut) for cut in [*pages, *chance, len(whole) - 1] if 0 <= cut < len(whole)})
    for cut in cuts:
        assert newer.name in detected(newer, whole[:cut])
        said = []
        assert is_older(load.latest(older.parent, said.append))
        assert len(said) == 1 and str(newer) in said[0]
    row("torn file", "cut at 4 kB boundaries +- 1 and at random", "detected, the state before it is used", len(cuts))


def test_a_longer_file_is_detected(older_and_newer):
    newer = older_and_newer[1]
    size = newer.stat().st_size - seal.SIZE
    tells(detected(newer, newer.read_bytes() + b"\0"), newer, size + 1, size)


def test_a_page_of_zeros_is_detected(older_and_newer):
    newer = older_and_newer[1]
    whole = newer.read_bytes()
    for start in range(0, len(whole), 4096):
        lost = whole[:start] + bytes(len(whole[start : start + 4096])) + whole[start + 4096 :]
        assert lost == whole or newer.name in detected(newer, lost)


def test_a_flipped_bit_is_detected_wherever_it_is(older_and_newer, is_older, full, row):
    older, newer = older_and_newer
    whole = newer.read_bytes()
    rng = np.random.default_rng(4)
    places = {"user block": range(seal.SIZE), "values": value_bytes(newer), "metadata": metadata_bytes(newer)}
    tried = 0
    for where, candidates in places.items():
        for place in rng.choice(candidates, min(len(candidates), 2000 if full else 150), replace=False):
            flipped = bytearray(whole)
            flipped[place] ^= 1 << int(rng.integers(8))
            assert newer.name in detected(newer, bytes(flipped)), where
            tried += 1
    assert is_older(load.latest(older.parent, lambda text: None))
    assert tried >= (1000 if full else 300)
    row("flipped bit", "in user block, values, attributes, HDF5 metadata", "detected, none harmless, no crash", tried)


def test_verify_names_the_datasets_that_are_lost(older_and_newer):
    newer = older_and_newer[1]
    with h5py.File(newer) as file:
        offset = file["history/dt"].id.get_offset()
    whole = bytearray(newer.read_bytes())
    whole[offset] ^= 1
    newer.write_bytes(whole)
    (_, first, _), (_, second, message) = load.verify(newer.parent)
    assert first and not second
    assert "history/dt" in message


def test_verify_survives_what_hdf5_does_not(older_and_newer):
    newer = older_and_newer[1]
    newer.write_bytes(newer.read_bytes()[:512] + bytes(10_000))
    (_, first, _), (_, second, message) = load.verify(newer.parent)
    assert first and not second and "HDF5" in message


def value_bytes(path) -> np.ndarray:
    """Offsets in the file of the values of all datasets."""
    with h5py.File(path) as file:
        extents = []
        file.visititems(lambda name, item: extents.append(extent(item)))
        return np.concatenate([np.arange(start, start + size) for start, size in filter(None, extents)])


def extent(item):
    offset = item.id.get_offset() if isinstance(item, h5py.Dataset) else None
    return offset and (offset, item.id.get_storage_size())


def metadata_bytes(path) -> np.ndarray:
    """Offsets of everything else after the user block: HDF5's structures and the attributes."""
    return np.setdiff1d(np.arange(seal.SIZE, path.stat().st_size), value_bytes(path))


def test_a_dataset_that_lies_under_a_sound_seal_is_named(older_and_newer):
    newer = older_and_newer[1]
    with h5py.File(newer, "r+") as file:
        file["metric/current"][3, 1, 1] += 1
    content = newer.read_bytes()[seal.SIZE :]
    tells(detected(newer, seal.make(content) + content), newer, "metric/current", "SHA-256")


def test_a_sealed_file_that_is_no_hdf5_is_refused(older_and_newer):
    content = b"not HDF5 at all"
    tells(detected(older_and_newer[1], seal.make(content) + content), older_and_newer[1], "HDF5")


def test_a_state_that_cannot_be_opened_is_told(older_and_newer, is_older):
    older, newer = older_and_newer
    newer.unlink()
    newer.symlink_to(newer)
    said = []
    assert is_older(load.latest(older.parent, said.append))
    assert len(said) == 1 and str(newer) in said[0]
