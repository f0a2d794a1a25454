"""How near finite networks are to linear ones, whose flow has a closed form, and if their band is honest (HR 2.9 - 2.12)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from mpiflow import hermitian
from mpiflow.comm import Comm
from mpiflow.config import check
from mpiflow.job import evaluate
from mpiflow.job.flowing import Flowing
from mpiflow.kernels.relu import ReluNTK
from mpiflow.measures import kappa_of

if TYPE_CHECKING:
    from mpiflow.network.ensemble import Problem

#: Known and other points of ensembles, their time; widths, members; widths and draws of single networks.
KNOWN, OTHERS, TIME = 12, 5, 1.0
WIDTHS, MEMBERS = (64, 256, 1024), 300
SINGLE, DRAWS = (64, 256, 1024, 4096), 5
KERNEL = ReluNTK(depth=1)
#: Numbers of train points over that of the figure, whose bands are held against what is true; t = inf.
SHARES, FOREVER = (0.03, 0.1, 0.3, 1.0), 1e30
NAMES = {2: "torus", 3: "K3", 4: "quintic"}


def ensemble(comm: Comm, size: int, seed: int) -> Iterator[tuple]:
    """Mean and covariance of networks of each width at t = TIME, off the exact ones: ("ensemble", what, width, largest)."""
    from mpiflow.network.ensemble import off

    problem = _problem(comm, seed)
    mean, spread = problem.exact()
    for width in WIDTHS:
        found = problem.ensemble(width, range(seed * 10_000, seed * 10_000 + MEMBERS))
        for what, apart in zip(("mean", "covariance"), off(found, mean, spread), strict=True):
            yield "ensemble", what, width, apart


def single(comm: Comm, size: int, seed: int) -> Iterator[tuple]:
    """A network off its own linearisation at t = TIME, rms over draws: ("single", what, width, relative)."""
    problem = _problem(comm, seed)
    for width in SINGLE:
        each = [problem.departure(width, seed * 10_000 + draw) for draw in range(DRAWS)]
        yield "single", "its own linearisation", width, float(np.sqrt(np.mean(np.square(each))))


def bands(comm: Comm, size: int, seed: int) -> Iterator[tuple]:
    """What is true against the band of all networks at t = inf; collective.

    ("bands", manifold, points, share within two deviations, rms error in deviations), ("gains", what, points, gain of it).
    """
    for ambient, name in NAMES.items():
        for count in (max(KNOWN, int(share * size)) for share in SHARES):
            made = _flowing(comm, ambient, count, seed, 1000).finish()
            test, predictor = made.test, made.predictor()
            p = test.points
            mean = predictor.metric(test.layout, p.z, p.chart)
            band = predictor.band(test.layout, p.z, FOREVER)[:, None]
            off = np.abs(hermitian.to_reals(mean - _goal(made, test))) / band
            total = test.layout.sum(np.stack([(off < 2).mean(1), (off**2).mean(1)], axis=1)) / test.layout.total
            yield "bands", name, count, float(total[0]), float(np.sqrt(total[1]))
            gain = evaluate.flowed(made.surface, predictor, "unseen", test, made.train, defect=False).gain
            yield "gains", f"{name}, gain of the mean", count, gain


def _problem(comm: Comm, seed: int) -> Problem:
    """What is to be added to g_11 of the quintic, known at few points."""
    from mpiflow.network.ensemble import Problem

    made = _flowing(comm, 4, KNOWN, seed, OTHERS)
    wanted = (_goal(made, made.train) - made.train.reference(made.surface))[:, 0, 0].real
    return Problem(KERNEL, made.train.points.z, wanted, made.test.points.z, TIME)


def _flowing(comm: Comm, ambient: int, train: int, seed: int, test: int) -> Flowing:
    table = {
        "run": {"seed": seed},
        "manifold": {"ambient": ambient},
        "points": {"train": train, "test": test},
        "kernel": KERNEL.model_dump(),
        "flow": {"dt": FOREVER, "steps": 1, "loss": "mse", "search": "exact"},
    }
    return Flowing.begun(comm, check(table, "lazy"))


def _goal(made: Flowing, points) -> np.ndarray:
    """The metric that is learnt, at points: (n_r, d, d)."""
    kappa = kappa_of(made.train.layout, made.train.points, made.train.reference(made.surface))
    return made.config.flow.loss.target(points.reference(made.surface), points.points.omega2, kappa)
