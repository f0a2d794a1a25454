"""Points, clusters and metrics of a state, held against its run file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mpiflow.config import Config
    from mpiflow.state.load import State

_REQUIRED = (
    *("points/z", "points/chart", "points/weight", "points/omega2", "split/train", "split/test"),
    *("clusters/label", "clusters/batch_label", "clusters/size", "metric/reference", "metric/current"),
)
#: What history has of points beside what it has of any flow.
_COLUMNS = tuple(f"history/{name}" for name in ("sigma_train", "loss", "sigma_test"))
#: Largest |g - g^dagger| over |g|: float32 gradients are Hermitian to 1e-7.
_HERMITIAN = 1e-5
#: Rows of a metric that are looked at together: it may be large, and a copy of it is not to be had.
_ROWS = 1 << 14


def complaints(state: State, config: Config) -> Iterator[str]:
    """What does not agree, the first that is found; what comes after it may not make sense."""
    arrays = state.arrays
    yield from missing(arrays, (*_REQUIRED, *_COLUMNS))
    for name in _COLUMNS:
        yield from outside(name, arrays[name], 0, np.finfo(float).max)
    yield from _shapes(arrays, config)
    yield from _points(arrays, config)
    yield from _clusters(arrays, config)
    for name in ("metric/reference", "metric/current"):
        yield from hermitian(name, arrays[name])


def missing(arrays: dict[str, np.ndarray], names: tuple[str, ...]) -> Iterator[str]:
    """Datasets that are not there."""
    absent = [name for name in names if name not in arrays]
    if absent:
        yield f"{', '.join(absent)} not there"


def outside(name: str, array: np.ndarray, low: float, high: float) -> Iterator[str]:
    """The first value of an array that is not in low..high, ends included."""
    wrong = ~((array >= low) & (array <= high))
    if wrong.any():
        where = tuple(int(place[0]) for place in np.nonzero(wrong))
        yield f"{name}{list(where)} = {array[where]}: it must be in {low:g}..{high:g}"


def single(state: State, name: str, value: int) -> Iterator[str]:
    """Whether a dataset is one number, the given one."""
    found = state.arrays[name]
    if found.tolist() != [value]:
        yield f"{name} is {found[:3].tolist()} at step {value}"


def hermitian(name: str, g: np.ndarray) -> Iterator[str]:
    """(N, d, d): the first matrix that is not complex Hermitian."""
    if g.dtype.kind != "c":
        yield f"{name} is {g.dtype}: metrics are complex"
    for start in range(0, len(g), _ROWS):
        block = g[start : start + _ROWS]
        off = np.abs(block - block.conj().swapaxes(1, 2)).max((1, 2), initial=0.0)
        wrong = off > _HERMITIAN * np.abs(block).max((1, 2), initial=0.0)
        if wrong.any():
            yield f"{name}[{start + int(wrong.argmax())}] is not Hermitian"


def _shapes(arrays: dict[str, np.ndarray], config: Config) -> Iterator[str]:
    p, d = config.points, config.manifold.dimension or arrays["metric/current"].shape[1]
    coordinates = config.manifold.coordinates or arrays["points/z"].shape[1]
    wanted = {
        "points/z": (p.train + p.test, coordinates),
        "split/train": (p.train,),
        "split/test": (p.test,),
        "clusters/size": (config.clusters.count,),
        "metric/current": (p.train + p.test, d, d),
    }
    for name, shape in wanted.items():
        if arrays[name].shape != shape:
            yield f"{name} has shape {list(arrays[name].shape)}: the run file says {list(shape)}"


def _points(arrays: dict[str, np.ndarray], config: Config) -> Iterator[str]:
    train, total = config.points.train, len(arrays["points/z"])
    if (arrays["split/train"] != np.arange(train)).any() or (arrays["split/test"] != np.arange(train, total)).any():
        yield "split is not the first points for training and the rest for tests"
    chart = arrays["points/chart"]
    yield from config.manifold.complaints(arrays["points/z"], chart)
    if config.points.chart != "all" and (chart != config.points.chart).any():
        yield f"points/chart: the run file says {list(config.points.chart)}"
    tiny, huge = np.finfo(float).tiny, np.finfo(float).max
    yield from outside("points/omega2", arrays["points/omega2"], tiny, huge)
    yield from outside("points/weight", arrays["points/weight"], tiny, huge)


def _clusters(arrays: dict[str, np.ndarray], config: Config) -> Iterator[str]:
    count, label = config.clusters.count, arrays["clusters/label"]
    yield from outside("clusters/label", label, 0, count - 1)
    yield from outside("clusters/batch_label", arrays["clusters/batch_label"], -1, len(label))
    if (np.bincount(label[: config.points.train], minlength=count) != arrays["clusters/size"]).any():
        yield "clusters/size does not count the train points of clusters/label"
