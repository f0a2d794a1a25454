"""What a state file holds, as data: the dimensions and the name, shape, kind, units and meaning of each dataset."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mpiflow.errors import NumericalError, StateError

#: Version of the layout below, an attribute of every file. A change of meaning raises it and adds to `upgrade.py`.
SCHEMA = 1

#: A state above this many bytes is cut into part files of at most this size under one master.
PART_BYTES = 1 << 30

#: Types of datasets, as they lie in the file: HDF5 has many more, and none of them is ours.
DTYPES = ("|b1", "|i1", "|u1", *(f"<{kind}{size}" for kind in "iu" for size in (2, 4, 8)), "<f4", "<f8", "<c8", "<c16")

DIMENSIONS = {
    "point": "points of the data set, in the order of their index",
    "coordinate": "homogeneous coordinates of P^n",
    "pair": "small integers that name a chart; in P^n the scaled and the eliminated coordinate (i, j)",
    "row": "holomorphic index a of g_(a bbar)",
    "column": "antiholomorphic index bbar of g_(a bbar)",
    "train": "train points, in the order of /split/train",
    "test": "test points, in the order of /split/test",
    "record": "steps of the flow, one record each",
    "test_record": "steps after which the metric was looked at",
    "cluster": "clusters of train points",
    "feature": "features of the potential",
    "basis": "the constant, then the features",
    "product": "the product that made each basis function",
    "section": "sections of degree k modulo Q",
    "generator": "orbits of monomials from which features are built",
    "exponents": "of z_i and of zbar_i",
    "parameter": "parameters of the network",
    "one": "a single number",
    "part": "the metric, then the accumulated gradient",
    "rank": "ranks of the job that wrote the file",
    "level": "levels of the merge",
}


class Field(NamedTuple):
    """One dataset: its dimensions, numpy dtype kinds, units ("1" for a pure number) and meaning."""

    dims: tuple[str, ...]
    kinds: str
    units: str
    description: str


LAYOUT = {
    "points/z": Field(("point", "coordinate"), "c", "1", "homogeneous coordinates, the largest scaled to 1"),
    "points/chart": Field(("point", "pair"), "iu", "1", "chart of each point, read by its manifold alone"),
    "points/weight": Field(("point",), "f", "1", "w = |Omega|^2 / det g_FS"),
    "points/omega2": Field(("point",), "f", "1", "|Omega|^2 in the chart of the point"),
    "split/train": Field(("train",), "iu", "1", "indices of the points that the flow trains on"),
    "split/test": Field(("test",), "iu", "1", "indices of the unseen points"),
    "clusters/label": Field(("point",), "iu", "1", "cluster of each point after the merge"),
    "clusters/batch_label": Field(("point",), "iu", "1", "cluster of each point in its own mini-batch; -1 without"),
    "clusters/size": Field(("cluster",), "iu", "1", "train points of each cluster"),
    "metric/reference": Field(
        ("point", "row", "column"), "cf", "1", "Fubini-Study metric of K = log|z|^2, pulled back"
    ),
    "metric/current": Field(("point", "row", "column"), "cf", "1", "flowed metric, normalised as the reference"),
    "flow/accumulated_gradient": Field(
        ("train", "row", "column"), "cf", "1", "A: step-weighted sum of loss gradients; g = g_FS - K A at any point"
    ),
    "potential/coefficients": Field(
        ("feature",), "cf", "1", "c of F = sum c_m F_m, of which kernel.potential makes phi in g = g_FS + d dbar phi"
    ),
    "potential/frozen_at": Field(("feature",), "f", "1", "coefficients at whose metric the kernel is frozen"),
    "potential/steps": Field(("one",), "iu", "1", "steps taken, which tell when the kernel is frozen anew"),
    "potential/generators": Field(
        ("generator", "coordinate", "exponents"), "iu", "1", "exponents of one monomial of each orbit"
    ),
    "potential/exponents": Field(
        ("section", "coordinate"), "iu", "1", "exponents of each section, for generic features"
    ),
    "potential/shift": Field(("generator",), "f", "1", "subtracted from each orbit sum"),
    "potential/scale": Field(("generator",), "f", "1", "which each orbit sum is divided by"),
    "potential/degree": Field(("basis",), "iu", "1", "degree k of each basis function"),
    "potential/factor": Field(("basis",), "iu", "1", "basis function that is multiplied, or -1 - generator"),
    "potential/parent": Field(("basis",), "iu", "1", "basis function that it multiplies"),
    "potential/overlap": Field(("basis", "product"), "f", "1", "products as combinations of the basis"),
    "network/parameters": Field(("parameter",), "f", "1", "layer by layer: weights by input and output, then biases"),
    "network/adam_mean": Field(("parameter",), "f", "1", "Adam's running mean of the gradient"),
    "network/adam_variance": Field(("parameter",), "f", "1", "Adam's running mean of the gradient squared"),
    "network/adam_count": Field(("one",), "iu", "1", "mini-batches that Adam has seen"),
    "network/epochs": Field(("one",), "iu", "1", "epochs done, which decide the order of the points and the rate"),
    "history/step": Field(("record",), "iu", "1", "number of the step"),
    "history/time": Field(("record",), "f", "1", "flow time after the step"),
    "history/dt": Field(("record",), "f", "1", "step size that was taken"),
    "history/sigma_train": Field(("record",), "f", "1", "sigma measure of the train points"),
    "history/loss": Field(("record",), "f", "1", "weighted mean of the pointwise loss over the train points"),
    "history/min_eigenvalue": Field(
        ("record",), "f", "1", "least eigenvalue of g over the train points, or over the grid"
    ),
    "history/step_rejected": Field(("record",), "iub", "1", "halvings of dt that kept g positive definite"),
    "history/degree": Field(("record",), "iu", "1", "degree k of the functions, on the way up kernel.ladder"),
    "history/test_step": Field(("test_record",), "iu", "1", "step after which the metric was looked at"),
    "timing/exchange": Field(
        ("rank", "level"), "iu", "byte", "bytes that each rank received at each level of the merge"
    ),
    "history/sigma_test": Field(("test_record",), "f", "1", "sigma measure of the test points"),
}

#: Attributes and the kind of each. Others may be there where `contents` covers them, and nothing here believes them.
ATTRIBUTES = {
    "schema": int,
    "step": int,
    "contents": str,
    "parts": str,
    "part": int,
    "config": str,
    "provenance": str,
    "mpiflow_version": str,
    "name": str,
    "seed": int,
    "precision": str,
    "ranks": int,
    "imbalance": float,
    "engine": str,
    "engine_bytes": int,
    "backend": str,
    "device_bytes": str,
    "kappa": float,
    "features": int,
    "dt": float,
    "tiles": str,
}

#: Groups of arrays of any name and number of axes, of which the run file names who knows more of them.
_BY_AXES = {
    "features/": "what kernel.features knows its functions by",
    "method/": "what the method of the run file keeps",
}
#: Units and meaning of datasets of open groups, where who writes them says so.
_SAID: dict[str, tuple[str, str]] = {}

#: Ends of the names of what a state keeps of users' files: text.
_FILES = ("_text", "_sha256")

#: Datasets whose names only their writers know, by how they start.
_OPEN = {
    "history/": Field(("test_record",), "f", "1", "what the method measured at each look"),
    "timing/": Field(("rank",), "f", "s", "wall time of this stage on each rank"),
    "search_points/": Field(
        ("train", "part", "row", "column"), "c", "1", "what the search remembers: of the metric, of A"
    ),
    "search/": Field(("feature",), "f", "1", "what the search remembers"),
}


def register(name: str, dims: tuple[str, ...], kinds: str, units: str, description: str) -> None:
    """Allow one more dataset, "group/name", with dimensions of `DIMENSIONS`. Raises StateError for a known name."""
    if name in LAYOUT or not set(dims) <= set(DIMENSIONS):
        raise StateError(f"register {name!r}{dims}: take a new name, and dimensions of {', '.join(DIMENSIONS)}")
    LAYOUT[name] = Field(dims, kinds, units, description)


def say(name: str, units: str, description: str) -> None:
    """What a dataset of an open group is: a method says it of its own, where it is loaded. Raises StateError elsewhere."""
    if name in LAYOUT or not name.startswith((*_BY_AXES, *_OPEN)):
        raise StateError(f"say {name!r}: take a name in one of {', '.join((*_BY_AXES, *_OPEN))}")
    _SAID[name] = (units, description)


def field(name: str, axes: int = 1) -> Field:
    """The layout of one dataset of so many axes; in open groups any name will do. Raises StateError for an unknown name."""
    if name in LAYOUT:
        return LAYOUT[name]
    found = next((kind for start, kind in _OPEN.items() if name.startswith(start)), None)
    for start, meaning in _BY_AXES.items():
        if name.startswith(start):
            dims = tuple(f"{name.partition('/')[2]}_axis_{axis}" for axis in range(axes))
            found = Field(dims, "iufc", "1", meaning)
    if found is None:
        raise StateError(
            f"{name!r} has no place in a state: register it with units and meaning, or use {', '.join(LAYOUT)}"
        )
    units, description = _SAID.get(name, found[2:])
    return Field(found.dims, found.kinds, units, description)


def check(arrays: dict[str, np.ndarray]) -> dict[str, int]:
    """Hold arrays against the layout; returns the length of every dimension that occurs.

    Raises StateError for an unknown name, a wrong kind or shape, NumericalError for a value that is not finite.
    """
    sizes: dict[str, int] = {}
    for name, array in arrays.items():
        dims, kinds, _, _ = field(name, array.ndim)
        if array.dtype.str not in DTYPES or array.dtype.kind not in kinds or array.ndim != len(dims):
            raise StateError(
                f"{name} is {array.dtype.str}{list(array.shape)}: it must be of kind {kinds!r} with dimensions {dims}"
            )
        for dim, size in zip(dims, array.shape, strict=True):
            if sizes.setdefault(dim, size) != size:
                raise StateError(f"{name} has {size} along {dim!r} where others have {sizes[dim]}: cut them alike")
        if array.dtype.kind in "fc" and not np.isfinite(array).all():
            where = np.argwhere(~np.isfinite(array))[0].tolist()
            raise NumericalError(f"{name}{where} is not finite: such a state is not written; take a smaller flow.dt")
    return sizes


def check_attributes(attributes: dict[str, object]) -> None:
    """Hold the attributes of a file against `ATTRIBUTES`. Raises StateError for another kind, and without schema or step."""
    unknown = sorted(name for name in attributes.keys() - ATTRIBUTES.keys() if not name.endswith(_FILES))
    if unknown and "contents" not in attributes:
        raise StateError(f"attribute {unknown[0]} is unknown")
    for name, value in attributes.items():
        kind = str if name.endswith(_FILES) else ATTRIBUTES.get(name, object)
        allowed = int | float if kind is float else kind
        if not isinstance(value, allowed) or (isinstance(value, bool) and kind is not object):
            raise StateError(f"attribute {name} is a {type(value).__name__}: it must be a {kind.__name__}")
    for name in ("schema", "step"):
        if attributes.get(name, -1) < 0:
            raise StateError(f"attribute {name} is {attributes.get(name, 'not there')}: it must be 0 or more")
