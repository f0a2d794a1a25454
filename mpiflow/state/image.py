"""Arrays to the bytes of an HDF5 file, in memory: HDF5 never writes to the disk, so a disk never fails inside it."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from types import MappingProxyType

import h5py
import numpy as np

from mpiflow.errors import NumericalError, StateError
from mpiflow.state import contents, schema, seal

_BARE = "This is a netCDF dimension but not a netCDF variable. %9d"


def build(
    step: int,
    arrays: dict[str, np.ndarray],
    attributes: dict[str, object],
    elsewhere: Mapping[str, h5py.VirtualLayout] = MappingProxyType({}),
) -> memoryview:
    """The HDF5 file of a state, without its 512-byte user block. Equal input gives equal bytes.

    The file is in memory once, and arrays is emptied as it is packed: large flows have no room for a second copy.
    elsewhere: where the values of some arrays lie, if in other files.
    Raises StateError for what the layout does not know, NumericalError for a value that is not finite.
    """
    sizes = schema.check(arrays)
    attributes = {**attributes, "schema": schema.SCHEMA, "step": step}
    table: dict[str, dict] = {}
    memory = io.BytesIO()
    with h5py.File(memory, "w", userblock_size=seal.SIZE) as file:
        for name, value in attributes.items():
            _check_attribute(name, value)
            file.attrs[name] = value
        _add_scales(file, sizes)
        for name in list(arrays):
            array = arrays.pop(name)
            if name in elsewhere:
                dataset = file.create_virtual_dataset(name, elsewhere[name])
            else:
                dataset = file.create_dataset(name, data=array)
            table[name] = contents.row(array)
            _label(dataset, name, table[name]["sha256"])
        file.attrs[contents.NAME] = contents.of({name: plain(value) for name, value in attributes.items()}, table)
    return memory.getbuffer()[seal.SIZE :]


def plain(value: object) -> object:
    """An attribute without NumPy: text, or a number."""
    return value.item() if isinstance(value, np.generic) else value


def _check_attribute(name: str, value: object) -> None:
    if not isinstance(plain(value), str | bool | int | float):
        raise StateError(f"attribute {name!r} is a {type(value).__name__}: only text and numbers; write it as JSON")
    if isinstance(plain(value), float) and not math.isfinite(value):
        raise NumericalError(f"attribute {name} = {value}: such a state is not written; take a smaller flow.dt")


def _add_scales(file: h5py.File, sizes: dict[str, int]) -> None:
    """Name the dimensions, as netCDF-4 does for dimensions without coordinates (no bytes are allocated)."""
    for number, (dim, size) in enumerate(sizes.items()):
        scale = file.create_dataset(dim, (size,), ">f4")
        scale.attrs["units"] = "1"
        scale.attrs["description"] = schema.DIMENSIONS.get(dim, dim.replace("_", " "))
        scale.attrs["_Netcdf4Dimid"] = np.int32(number)
        scale.make_scale(_BARE % size)


def _label(dataset: h5py.Dataset, name: str, sha256: str) -> None:
    """Attach to a dataset its dimensions, units, meaning and the SHA-256 of its values."""
    dims, _, units, description = schema.field(name, dataset.ndim)
    for axis, dim in enumerate(dims):
        dataset.dims[axis].attach_scale(dataset.file[dim])
    dataset.attrs["units"] = units
    dataset.attrs["description"] = description
    dataset.attrs["sha256"] = sha256
