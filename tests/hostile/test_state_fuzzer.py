"""No state file, however damaged or hostile, does more than to be refused in one line.

300 in the tests; by hand: MPIFLOW_FUZZ=10000 MPIFLOW_FUZZ_SEED=2 MPIFLOW_FUZZ_DEEP=20000 MPIFLOW_FUZZ_KEEP=folder, and
-s to see what files were refused for.
"""

from __future__ import annotations

import lzma
import os
import re
import resource
import time
from pathlib import Path

import hostile_states
import numpy as np
import pytest
from hostile_states import HOSTILE, damaged, rebuilt, write_layout, write_run
from states import same

from mpiflow.belief import loader
from mpiflow.errors import StateError
from mpiflow.state import isolated, load
from mpiflow.state.isolated import index

NUMBER, SEED = int(os.environ.get("MPIFLOW_FUZZ", 300)), int(os.environ.get("MPIFLOW_FUZZ_SEED", 1))
KEEP = os.environ.get("MPIFLOW_FUZZ_KEEP")
CORPUS = Path(__file__).parent / "corpus"
#: Seconds, and bytes beyond the file's own size, that a file may cost.
SLOW, LARGE = 5.0, 500 << 20


def outcome(path, original, read=loader.read) -> str:
    """ "as it was" or the one line that a file is refused with; anything else fails."""
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    try:
        state = read(path)
    except StateError as error:
        told = str(error)
        assert len(told.splitlines()) == 1 and told.isprintable() and len(told) < 2000, told[:3000]
    else:
        assert same(state.arrays, original.arrays) and state.attributes == original.attributes
        told = "as it was"
    assert time.process_time() - began < SLOW
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10
    assert max(grown, reader_bytes()) < LARGE + path.stat().st_size
    return told


def reader_bytes() -> int:
    """The most memory that the process that looks into HDF5 files has had."""
    try:
        status = Path(f"/proc/{isolated._SHARED._process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) << 10
    except (OSError, IndexError, AttributeError):  # it has ended, or there is no such file
        return 0


def metadata(path) -> np.ndarray:
    """Places in a file that hold no values."""
    with open(path, "rb") as file:
        found = index(file.fileno())["datasets"]
    places = np.ones(path.stat().st_size, bool)
    for item in found.values():
        size = int(np.prod(item["shape"])) * np.dtype(item["dtype"]).itemsize
        places[item.get("offset", 0) : item.get("offset", 0) + size] = False
    places[:512] = False
    return np.flatnonzero(places)


@pytest.mark.parametrize("write, read", [(write_run, loader.read), (write_layout, load.read)], ids=["run", "layout"])
def test_damaged_states_are_refused_or_as_they_were(tmp_path, write, read):
    path = write(tmp_path)
    original, whole, places = read(path), path.read_bytes(), metadata(path)
    (tmp_path / "other").mkdir()
    other = (write_layout if write is write_run else write_run)(tmp_path / "other").read_bytes()
    told: dict[str, int] = {}
    began = time.monotonic()
    for number in range(NUMBER // 2):
        content = damaged(whole, other, places, np.random.default_rng([SEED, number]))
        path.write_bytes(content)
        try:
            line = outcome(path, original, read)
        except BaseException:
            keep(content, f"{write.__name__}-{SEED}-{number}")
            raise
        if "ended with" in line or "too long" in line:
            keep(content, f"{write.__name__}-{SEED}-{number}")
        kind = re.sub(r"[0-9]+", "N", line.replace(str(path), ""))[:75]
        told[kind] = told.get(kind, 0) + 1
    for kind, count in sorted(told.items(), key=lambda pair: -pair[1]):
        print(f"{count:6} {kind}")
    print(f"{NUMBER // 2} files, {time.monotonic() - began:.1f} s, reader at most {reader_bytes() >> 20} MB")


def keep(content: bytes, name: str) -> None:
    """Put a file aside, where that was asked for."""
    if KEEP:
        Path(KEEP).mkdir(parents=True, exist_ok=True)
        (Path(KEEP) / f"{name}.xz").write_bytes(lzma.compress(content))


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return loader.read(write_run(tmp_path_factory.mktemp("original")))


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_states_are_refused(tmp_path, original, name):
    path = write_run(tmp_path)
    rebuilt(path, HOSTILE[name])
    assert outcome(path, original) != "as it was"
    assert [sound for _, sound, _ in loader.verify(tmp_path)] == [False]


def test_a_state_that_is_only_rebuilt_is_believed(tmp_path, original):
    path = write_run(tmp_path)
    rebuilt(path, lambda file: None)
    assert outcome(path, original) == "as it was"


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.xz")), ids=lambda path: path.stem)
def test_what_was_found_before_is_refused(tmp_path, original, path):
    hurt = tmp_path / "state-00000002.h5"
    hurt.write_bytes(lzma.decompress(path.read_bytes()))
    assert outcome(hurt, original, load.read) != "as it was"


def test_damaged_parts_are_refused_or_as_they_were(tmp_path):
    path = hostile_states.write_run(tmp_path, part_bytes=4000)
    original = loader.read(path)
    for number, part in enumerate(sorted(tmp_path.iterdir()) * 3):
        whole = part.read_bytes()
        part.write_bytes(damaged(whole, whole[::-1], np.arange(512, len(whole)), np.random.default_rng([SEED, number])))
        outcome(path, original)
        part.write_bytes(whole)
    assert outcome(path, original) == "as it was"
