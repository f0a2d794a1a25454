"""Damaged and hostile state files, each a function of (seed, number): of a small run, and of every dataset of the layout."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
from states import ATTRIBUTES, small_arrays

from mpiflow.config import loads
from mpiflow.state import commit, contents, provenance, seal

#: Groups within groups of the deepest file; by hand 20 000.
DEEP = int(os.environ.get("MPIFLOW_FUZZ_DEEP", 500))

RUN = """
[points]
train = 20
test = 10
[clusters]
count = 2
[kernel]
name = "gaussian"
width = 0.4
[flow]
steps = 3
dt = 0.03
"""


def run_state() -> tuple[dict[str, np.ndarray], dict[str, object]]:
    """Arrays and attributes of step 2 of a run of the run file above, as `mpiflow.belief` believes them."""
    rng = np.random.default_rng(5)
    metric = rng.normal(size=(30, 3, 3)) + 1j * rng.normal(size=(30, 3, 3))
    metric = metric @ metric.conj().swapaxes(1, 2)
    label = np.arange(30, dtype=np.int32) % 2
    arrays = {
        "points/z": rng.normal(size=(30, 5)) + 1j * rng.normal(size=(30, 5)),
        "points/chart": np.tile(np.array([0, 1], np.int8), (30, 1)),
        "points/weight": rng.uniform(1, 2, 30),
        "points/omega2": rng.uniform(1, 2, 30),
        "split/train": np.arange(20),
        "split/test": np.arange(20, 30),
        "clusters/label": label,
        "clusters/batch_label": np.where(np.arange(30) < 20, label, -1).astype(np.int32),
        "clusters/size": np.array([10, 10]),
        "metric/reference": metric,
        "metric/current": metric * 2,
        "flow/accumulated_gradient": metric[:20] * 3,
        "history/step": np.arange(3),
        "history/time": np.array([0.0, 0.03, 0.06]),
        "history/dt": np.array([0.0, 0.03, 0.03]),
        "history/sigma_train": np.ones(3),
        "history/loss": np.ones(3),
        "history/min_eigenvalue": np.ones(3),
        "history/step_rejected": np.zeros(3, int),
        "history/test_step": np.arange(3),
        "history/sigma_test": np.ones(3),
        "timing/flow": np.ones(1),
    }
    attributes = {
        "config": loads(RUN).text(),
        "provenance": provenance.append("", provenance.entry(1, "cpu", None) | {"start": "2026-01-01 00:00:00 +0000"}),
        "mpiflow_version": "0.1.0",
        "name": "run",
        "seed": 1,
        "precision": "float64",
        "ranks": 1,
        "imbalance": 1.0,
        "engine": "streamed",
        "engine_bytes": 0,
        "backend": "cpu",
        "device_bytes": "{}",
        "kappa": 1.5,
    }
    return arrays, attributes


def write_run(folder: Path, part_bytes: int = 1 << 30) -> Path:
    """The state of the run; part_bytes: small ones cut it into parts."""
    return commit.write(folder, 2, *run_state(), part_bytes=part_bytes)


def write_layout(folder: Path) -> Path:
    """A state with every dataset of the layout, of no run."""
    return commit.write(folder, 2, small_arrays(), ATTRIBUTES)


def resealed(content: bytes) -> bytes:
    """A file whose seal agrees with all that follows it."""
    return seal.make(memoryview(content[seal.SIZE :])) + content[seal.SIZE :]


def damaged(whole: bytes, other: bytes, metadata: np.ndarray, rng: np.random.Generator) -> bytes:
    """Random damage, in half of the cases sealed afterwards. metadata: places of HDF5's own structures."""
    content = bytearray(whole)
    for _ in range(int(rng.integers(1, 4))):
        DAMAGES[int(rng.integers(len(DAMAGES)))](content, other, metadata, rng)
    return resealed(bytes(content)) if rng.random() < 0.7 else bytes(content)


def _flip(content, other, metadata, rng):
    content[int(rng.integers(len(content)))] ^= 1 << int(rng.integers(8))


def _flip_metadata(content, other, metadata, rng):
    content[min(int(rng.choice(metadata)), len(content) - 1)] ^= 1 << int(rng.integers(8))


def _overwrite_metadata(content, other, metadata, rng):
    start = min(int(rng.choice(metadata)), len(content) - 1)
    value = [b"\xff" * 8, bytes(8), (1 << 36).to_bytes(8, "little"), rng.bytes(8), (512).to_bytes(8, "little")]
    piece = value[int(rng.integers(len(value)))][: int(rng.choice([1, 2, 4, 8]))]
    content[start : start + len(piece)] = piece


def _overwrite(content, other, metadata, rng):
    start, size = int(rng.integers(len(content))), int(rng.integers(1, 600))
    content[start : start + size] = rng.bytes(len(content[start : start + size]))


def _truncate(content, other, metadata, rng):
    del content[int(rng.integers(1, len(content))) :]


def _insert(content, other, metadata, rng):
    start = int(rng.integers(len(content)))
    content[start:start] = rng.bytes(int(rng.integers(1, 100)))


def _splice(content, other, metadata, rng):
    start, size = int(rng.integers(len(content))), int(rng.integers(1, 4000))
    content[start : start + size] = other[start : start + size]


def _repeat(content, other, metadata, rng):
    source, target, size = (int(x) for x in rng.integers(0, len(content), 3))
    content[target : target + size % 3000] = content[source : source + size % 3000]


DAMAGES = [_flip, _flip_metadata, _flip_metadata, _overwrite_metadata, _overwrite_metadata]
DAMAGES += [_overwrite, _truncate, _insert, _splice, _repeat]


def rebuilt(path: Path, change: Callable[[h5py.File], None]) -> None:
    """Change a state through HDF5, then make every checksum that can be made agree: values, contents, seal."""
    with h5py.File(path, "r+") as file:
        change(file)
        table = {}
        for name, item in _plain(file).items():
            item.attrs["sha256"] = contents.digest(item[()])
            table[name] = contents.row(item[()])
        told = {name: value.item() if isinstance(value, np.generic) else value for name, value in file.attrs.items()}
        told.pop(contents.NAME, None)
        try:
            file.attrs[contents.NAME] = contents.of(told, table)
        except TypeError:  # an attribute that JSON does not have
            del file.attrs[contents.NAME]
    path.write_bytes(resealed(path.read_bytes()))


def _plain(file: h5py.File) -> dict[str, h5py.Dataset]:
    """Datasets whose values are of a size to be read here, and lie here."""
    groups = {name: item for name, item in _linked(file).items() if isinstance(item, h5py.Group)}
    found = {f"{name}/{inner}": item for name, group in groups.items() for inner, item in _linked(group).items()}
    return {name: item for name, item in found.items() if isinstance(item, h5py.Dataset) and _is_plain(item)}


def _linked(group: h5py.Group) -> dict[str, object]:
    return {name: group[name] for name in group if isinstance(group.get(name, getlink=True), h5py.HardLink)}


def _is_plain(item: h5py.Dataset) -> bool:
    small = item.shape is not None and max(item.shape, default=0) < 1 << 20
    return small and item.dtype.kind in "fiucb" and not (item.external or item.is_virtual)


def _swap(name: str, **options) -> Callable[[h5py.File], None]:
    """Put another dataset in the place of one."""

    def change(file):
        del file[name]
        file.create_dataset(name, **options)

    return change


def _value(name: str, place, value) -> Callable[[h5py.File], None]:
    def change(file):
        file[name][place] = value

    return change


def _attribute(name: str, value) -> Callable[[h5py.File], None]:
    def change(file):
        file.attrs[name] = value

    return change


def _config(old: str, new: str) -> Callable[[h5py.File], None]:
    def change(file):
        assert old in file.attrs["config"]
        file.attrs["config"] = file.attrs["config"].replace(old, new)

    return change


def _nested(file):
    group = file
    for _ in range(DEEP):
        group = group.create_group("a")


def _many(file):
    for number in range(2000):
        file.create_group(f"g{number}")


def _virtual(source: str) -> Callable[[h5py.File], None]:
    def change(file):
        layout = h5py.VirtualLayout((30,), "f8")
        layout[:] = h5py.VirtualSource(source, "points/weight", (30,), "f8")
        del file["points/weight"]
        file.create_virtual_dataset("points/weight", layout)
        file["points/weight"].attrs["sha256"] = "0" * 64
        file.attrs["parts"] = json.dumps({source: "0" * 64})

    return change


def _link(make) -> Callable[[h5py.File], None]:
    def change(file):
        del file["points/weight"]
        file["points/weight"] = make(file)

    return change


#: What is built on purpose, name -> change of the state of a run. None of it is a state of that run.
HOSTILE: dict[str, Callable[[h5py.File], None]] = {
    "shape of 2^36": _swap("points/weight", shape=(1 << 36,), dtype="f8"),
    "shape of 2^36, chunked": _swap("points/weight", shape=(1 << 36,), dtype="f8", chunks=(1 << 20,)),
    "shape of 2^62 by 0": _swap("points/z", shape=(1 << 62, 0), dtype="c16"),
    "empty dataspace": _swap("points/weight", dtype="f8", data=h5py.Empty("f8")),
    "scalar": _swap("points/weight", data=1.0),
    "gzip of zeros": _swap("points/weight", shape=(1 << 27,), dtype="f8", chunks=(1 << 24,), compression="gzip"),
    "resizable": _swap("points/weight", data=np.ones(30), maxshape=(None,)),
    "another file's bytes": _swap("points/weight", shape=(30,), dtype="f8", external=[("/etc/passwd", 0, 240)]),
    "a device's bytes": _swap(
        "points/weight", shape=(30,), dtype="f8", external=[("/dev/zero", 0, h5py.h5f.UNLIMITED)]
    ),
    "short": _swap("points/weight", data=np.ones(29)),
    "long": _swap("points/weight", data=np.ones(31)),
    "big endian": _swap("points/weight", data=np.ones(30, ">f8")),
    "float16": _swap("points/weight", data=np.ones(30, "f2")),
    "float32 as int": _swap("points/weight", data=np.ones(30, "i8")),
    "text": _swap("points/weight", data=["a"] * 30),
    "references": _swap("points/weight", shape=(30,), dtype=h5py.ref_dtype),
    "lists": _swap("points/weight", shape=(30,), dtype=h5py.vlen_dtype("f8")),
    "compound": _swap("points/weight", shape=(30,), dtype=[("r", "f8"), ("x", "f8")]),
    "opaque": _swap("points/weight", shape=(30,), dtype="V8"),
    "not a number": _value("points/weight", 3, np.nan),
    "infinite": _value("metric/current", (3, 0, 0), np.inf),
    "label too large": _value("clusters/label", 3, 2),
    "label negative": _value("clusters/label", 25, -7),
    "sizes": _value("clusters/size", 0, 11),
    "weight negative": _value("points/weight", 0, -1.0),
    "chart": _value("points/chart", (0, 0), 100),
    "not Hermitian": _value("metric/current", (0, 0, 1), 1000.0),
    "split": _value("split/test", 0, 1 << 40),
    "history": _value("history/step", 2, 1 << 40),
    "dataset gone": lambda file: file.__delitem__("points/omega2"),
    "group gone": lambda file: file.__delitem__("history"),
    "unknown dataset": lambda file: file.create_dataset("points/other", data=np.ones(30)),
    "dataset outside groups": lambda file: file.create_dataset("loose", data=np.ones(30)),
    "unknown group": lambda file: file.create_dataset("other/weight", data=np.ones(30)),
    "nested groups": _nested,
    "many groups": _many,
    "soft link": _link(lambda file: h5py.SoftLink("/points/omega2")),
    "dangling link": _link(lambda file: h5py.SoftLink("/nowhere")),
    "link cycle": _link(lambda file: h5py.SoftLink("/points/weight")),
    "external link": _link(lambda file: h5py.ExternalLink("/dev/zero", "/points/weight")),
    "second name": _link(lambda file: file["points/omega2"]),
    "group cycle": _link(lambda file: file["points"]),
    "committed type": lambda file: file.__setitem__("points/kind", np.dtype("f8")),
    "strange name": lambda file: file.create_dataset("points/\n\x1b[31m", data=np.ones(30)),
    "virtual, of another file": _virtual("other.h5"),
    "virtual, of a device": _virtual("/dev/zero"),
    "virtual, outside the folder": _virtual("../state-00000002-part-0000-000000000000.h5"),
    "virtual, of a part that is not there": _virtual("state-00000002-part-0000-000000000000.h5"),
    "parts are no table": _attribute("parts", "[1]"),
    "parts nested": _attribute("parts", "[" * 100_000),
    "long text": _attribute("provenance", "[" + " " * (17 << 20) + "]"),
    "large attribute": lambda file: file.attrs.create("kappa", np.ones(7000)),
    "list for a number": _attribute("seed", [1, 2]),
    "number that is none": _attribute("kappa", np.nan),
    "text for a number": _attribute("seed", "1"),
    "number for a text": _attribute("config", 1),
    "truth for a number": _attribute("seed", True),
    "complex attribute": _attribute("kappa", 1j),
    "reference attribute": lambda file: file.attrs.create("kappa", file.ref, dtype=h5py.ref_dtype),
    "bytes of no text": lambda file: file.attrs.create("name", b"\xff\xfe", dtype=h5py.string_dtype()),
    "no step": lambda file: file.attrs.__delitem__("step"),
    "step of another state": _attribute("step", 3),
    "step negative": _attribute("step", -2),
    "step enormous": _attribute("step", np.uint64(2**64 - 1)),
    "schema 0": _attribute("schema", 0),
    "schema negative": _attribute("schema", -1),
    "schema of the future": _attribute("schema", 1 << 60),
    "a part": _attribute("part", 0),
    "no config": lambda file: file.attrs.__delitem__("config"),
    "config is no TOML": _attribute("config", "= ="),
    "config nested": _attribute("config", "a = " + "[" * 50_000 + "]" * 50_000),
    "config of tables": _attribute("config", ".".join("a" * 20_000) + " = 1"),
    "config enormous": _attribute("config", "# " * (1 << 20)),
    "config of more points": _config("train = 20", "train = 1000000000000"),
    "config of more clusters": _config("count = 2", "count = 20"),
    "config of another manifold": _config("ambient = 4", "ambient = 5"),
    "config of a large number": _config("train = 20", "train = 1" + "0" * 5000),
    "config of another kernel": _config('name = "gaussian"\nrescale = 0.0\nwidth = 0.4', 'name = "kaehler"'),
    "config of fewer steps": _config("steps = 3", "steps = 1"),
    "other seed": _attribute("seed", 2),
    "other engine": _attribute("engine", "none"),
    "provenance is no list": _attribute("provenance", "{}"),
    "provenance of numbers": _attribute("provenance", "[1, 2]"),
    "provenance nested": _attribute("provenance", "[" * 100_000),
    "unknown attribute, no contents": _attribute("else", 1j),
    "length of a dimension": lambda file: _scale(file),
}


def _scale(file: h5py.File) -> None:
    del file["record"]
    file.create_dataset("record", (99,), ">f4").make_scale("record")
