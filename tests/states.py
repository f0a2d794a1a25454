"""A small state with every dataset of the layout, for the tests of `mpiflow.state`."""

from __future__ import annotations

import h5py
import numpy as np

from mpiflow.state import schema

SIZES = {
    "point": 40,
    "coordinate": 5,
    "pair": 2,
    "row": 3,
    "column": 3,
    "train": 24,
    "test": 16,
    "record": 7,
    "test_record": 2,
    "cluster": 4,
    "feature": 6,
    "basis": 7,
    "product": 7,
    "section": 4,
    "generator": 3,
    "exponents": 2,
    "one": 1,
    "rank": 2,
    "level": 3,
}


def small_arrays(seed: int = 1) -> dict[str, np.ndarray]:
    """Random arrays of the right kind and shape for every name of the layout."""
    rng = np.random.default_rng(seed)
    names = [*schema.LAYOUT, "timing/flow", "timing/exchange"]
    return {name: _random(rng, schema.field(name)) for name in names}


def shape(field: schema.Field) -> tuple[int, ...]:
    """The shape of one dataset of the small state."""
    return tuple(SIZES.get(dim, 2) for dim in field.dims)


def _random(rng: np.random.Generator, field: schema.Field) -> np.ndarray:
    if "i" in field.kinds:
        return rng.integers(0, 100, shape(field))
    real = rng.normal(size=shape(field))
    return real + 1j * rng.normal(size=shape(field)) if "c" in field.kinds else real


ATTRIBUTES = {"config": 'run.name = "α"\n' * 50, "seed": 7, "dt": 3e-4, "provenance": "[]", "resumed": True}


def datasets(file: h5py.File) -> dict[str, h5py.Dataset]:
    """ "group/name" -> dataset, dimension scales left out."""
    found = {}
    file.visititems(lambda name, item: found.update({name: item}) if _holds_values(item) else None)
    return found


def _holds_values(item: object) -> bool:
    return isinstance(item, h5py.Dataset) and not item.is_scale


def same(left: dict[str, np.ndarray], right: dict[str, np.ndarray]) -> bool:
    """Whether two states hold the same names, dtypes and bits."""
    return left.keys() == right.keys() and all(
        left[name].dtype == right[name].dtype and left[name].tobytes() == right[name].tobytes() for name in left
    )
