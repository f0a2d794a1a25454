"""Bytes that a rank holds in each stage (tests hold the largest of them to 10 % of what runs really take)."""

from __future__ import annotations

from mpiflow.config import Config
from mpiflow.plan.shape import Shape

#: Train points from which a sparse kernel's reach is judged, all pairs at once; bytes of a pair over (n+1)^2.
_JUDGED, _PAIR = 1000, 12.5


def stages(config: Config, s: Shape) -> dict[str, int]:
    """Bytes of the heaviest rank (rank 0 in `save`) by stage, beyond the interpreter and its libraries."""
    held = _points(s, s.rows + s.unseen)
    # A symmetric engine holds all train points as its targets, too.
    flowing = (
        held
        + engine(s, s.train if s.mode == "symmetric" else s.rows)
        + engine(s, s.unseen)
        + 3 * s.metric * s.rows
        + s.metric * s.unseen
    )
    return {
        "sample": 3 * _points(s, s.rows),
        "cluster": _clustering(config) + 2 * _points(s, s.rows),
        "build": max(flowing, held + _judging(config, s)),
        "flow": flowing + 5 * s.metric * s.rows + _exchanged(s),
        # The arrays of a state and the image that they are packed into.
        "save": flowing + 2 * state(s),
        "evaluate": flowing + _constant(s) + _records(s, max(s.rows, s.unseen)) + _geometry(s, max(s.rows, s.unseen)),
    }


def engine(s: Shape, rows: int) -> int:
    """Bytes of a kernel engine between steps, for so many target rows."""
    if s.mode == "resident":
        return rows * s.sources * s.itemsize + _records(s, rows)
    if s.mode == "neighbours":
        return int(rows * s.sources * s.kept) * (s.itemsize + 4) + _records(s, rows)
    return _records(s, rows)


def state(s: Shape) -> int:
    """Bytes of one state file: points, labels and metrics of all points, the gradient of the train points."""
    return (s.train + s.test) * (16 * s.coordinates + 34 + 2 * s.metric) + s.train * s.metric


def _constant(s: Shape) -> int:
    """What rank 0 keeps for all states."""
    return (s.train + s.test) * (16 * s.coordinates + 34 + s.metric)


def _points(s: Shape, count: int) -> int:
    return count * (16 * s.coordinates + 30)


def _records(s: Shape, rows: int) -> int:
    return (rows + 2 * s.sources) * s.numbers * 8


def _geometry(s: Shape, rows: int) -> int:
    """What a pulled-back metric takes on its way: ambient matrices, Jacobians, metrics."""
    return rows * 16 * (6 * s.coordinates**2 + 3 * s.coordinates * s.dimension + 4 * s.dimension**2)


def _exchanged(s: Shape) -> int:
    """v of the sources, sent, received and put in order, and padded for the tiles; of a symmetric engine, u of all."""
    sums = 3 * 8 * s.dimension**2 * (s.mode == "symmetric")
    return s.sources * (4 * 8 * s.dimension**2 + s.numbers * s.itemsize + sums)


def _judging(config: Config, s: Shape) -> int:
    if not config.kernel.sparse:
        return 0
    return int(min(_JUDGED, s.train) ** 2 * _PAIR * s.coordinates**2)


def _clustering(config: Config) -> int:
    c = config.clusters
    if c.count == 1 or c.merge == "kmeans" or c.linkage in ("ward", "chordal"):
        return 0
    return 8 * min(c.batch, config.points.train) ** 2
