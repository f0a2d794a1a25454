"""Products within a Gauss-Newton step in complex64 against complex128: time, and gain at equal iterations.

python tests/benchmarks/bench_inner.py 4 30000     # degree, train points of random:0
python tests/benchmarks/bench_inner.py 6           # the products alone
"""

from __future__ import annotations

import os
import sys

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
from bench_log import TEST, generic, random
from rounds import interleaved, timed

import mpiflow
from mpiflow import sampling
from mpiflow.comm import Comm
from mpiflow.engine.low_rank import LowRank
from mpiflow.geometry.families.random import Random
from mpiflow.methods import potentials
from mpiflow.ranks.chunks import CHUNK, Chunks

#: Chunks of points that are timed: what they hold fits no cache.
_CHUNKS = 8


def main(degree: int, points: int = 0) -> None:
    """Seconds of one product and its adjoint, and the gains of two runs."""
    surface, comm = Random(ambient=4, seed=0).domain(), Comm()
    total = _CHUNKS * CHUNK
    _, p = sampling.sample(comm, surface, total, 0, sampling.TRAIN)
    features = potentials.features(comm, surface, degree, "generic")
    frame = surface.frame(p.z, p.chart)
    single, double = (
        LowRank(Chunks(comm, total), features, frame, 2.0**33, whole=True, single=single) for single in (True, False)
    )
    rng = np.random.default_rng(0)
    c, v = rng.normal(size=len(features)), rng.normal(size=(total, single.reals))
    both = {"complex64": timed(lambda: _both(single, c, v)), "complex128": timed(lambda: _both(double, c, v))}
    seconds = interleaved(both, 9)
    shown = {name: round(1e6 * taken / total, 2) for name, taken in seconds.items()}
    ratio = seconds["complex64"] / seconds["complex128"]
    error = np.abs(single.apply(c) - double.apply(c)).max() / np.abs(double.apply(c)).max()
    print(f"k = {degree}: us a point {shown}, ratio {ratio:.3f}, error / largest {error:.1e}")
    for inner in ("float32", "float64") if points else ():
        table = generic(degree, points, 4, 30, random(0))
        model = mpiflow.run(table | {"run": {"inner": inner}})
        print(f"run.inner = {inner}: gain {model.evaluate(TEST, 77)[1].gain:.4g}", flush=True)


def _both(engine: LowRank, c: np.ndarray, v: np.ndarray) -> None:
    engine.apply(c)
    engine.adjoint(v)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
