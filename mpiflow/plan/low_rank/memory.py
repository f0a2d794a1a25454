"""Bytes that a rank of a Kaehler flow holds in each stage (tests hold the largest of them to 10 %)."""

from __future__ import annotations

from math import comb, log2

from mpiflow import sampling
from mpiflow.config import Config
from mpiflow.plan.low_rank.shape import Shape
from mpiflow.ranks.chunks import CHUNK
from mpiflow.ranks.shards import TILE

#: Peak while points are prepared, over the jets of invariants or the sections that come of it; measured.
_JETS, _SECTIONS = 3.65, 7.2
#: Peak of choosing invariants, over 8 P^2 bytes for each point of the sample; measured.
_CHOICE = 8
#: What the C library keeps of what was freed, and what the picture of the report takes; measured.
_KEPT, _PICTURE = 20e6, 41e6
#: What HDF5 and the attributes take of a state file.
_FILE = 60_000


def stages(config: Config, s: Shape) -> dict[str, int]:
    """Bytes of the heaviest rank, which is rank 0, by stage, beyond the interpreter and its libraries."""
    points = _points(s, s.rows + s.unseen)
    held = points + _frame(s) * (s.rows + s.unseen) + engine(s, s.rows) + engine(s, s.unseen)
    held += 3 * s.metric * s.rows + _matrices(s, 1)
    # The chunk before is let go when the next one is there.
    work = (_preparing(s) + (0 if s.resident else s.each)) * CHUNK + _KEPT
    summed = _matrices(s, 4 + log2(s.rows / CHUNK))
    found = {
        "sample": 2 * _points(s, s.rows + 2 * sampling.LINES * s.coordinates),
        "cluster": points,
        "build": max(_choice(s), held + max(work, summed)),
        "flow": held + max(4 * s.metric * s.rows, 0 if s.resident else work),
        "save": held + 2 * state(s),
        "evaluate": held + _constant(s) + max(_geometry(s, s.rows) + _preparing(s) * TILE, _PICTURE),
    }
    return {name: int(size) for name, size in found.items()}


def engine(s: Shape, rows: int) -> int:
    """Bytes that are kept between steps of what is prepared for so many rows."""
    return rows * s.each if rows * s.each <= s.budget else 0


def state(s: Shape) -> int:
    """Bytes of one state file: points, labels and metrics of all points, and the basis of the features."""
    basis = 8 * s.sections * s.coordinates if s.sections else 8 * (s.features + 1) * (s.features + 4)
    return _FILE + _constant(s) + (s.train + s.test) * s.metric + 16 * s.features + basis


def _constant(s: Shape) -> int:
    """What rank 0 keeps for all states."""
    return (s.train + s.test) * (16 * s.coordinates + 34 + s.metric)


def _points(s: Shape, count: int) -> int:
    return count * (16 * s.coordinates + 30)


def _frame(s: Shape) -> int:
    """Normal coordinates of one point: z, vectors, bend, and the way back to the chart."""
    return 16 * (s.coordinates * (1 + s.dimension + s.dimension**2) + s.dimension**2)


def _preparing(s: Shape) -> int:
    """Bytes of one point while it is prepared."""
    if s.sections:
        return int(_SECTIONS * s.each)
    return int(_JETS * 16 * (s.features + 1) * comb(s.dimension + 2, 2))


def _matrices(s: Shape, count: float) -> float:
    """So many normal matrices of invariants; generic features have vectors of N_k^2 numbers alone."""
    return 8 * (s.features + 2) * (20 if s.sections else count * (s.features + 2))


def _choice(s: Shape) -> float:
    """Choosing independent invariants by their values on a sample."""
    return 0 if s.sections else 8 * _CHOICE * s.features * (1.5 * s.features + 200)


def _geometry(s: Shape, rows: int) -> int:
    """What an evaluation takes of each point on its way: Jacobians, metrics, eigenvalues."""
    return rows * 16 * (s.coordinates * s.dimension + 6 * s.dimension**2)
