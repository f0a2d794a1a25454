"""J of chi = omega_0, begun where Gauss-Newton ends: where and how its flow meets the end of positivity, step by step.

python tests/benchmarks/bench_functionals.py                      # the quintic, k = 8, with steps of 1, .3 and .1
python tests/benchmarks/bench_functionals.py "quintic, k = 12" 1 --from .5
"""

from __future__ import annotations

import argparse
import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np

from mpiflow.comm import Comm
from mpiflow.config import check
from mpiflow.errors import NumericalError
from mpiflow.job.flowing import Flowing
from mpiflow.measures import least_eigenvalue
from mpiflow.paper.functionals import CASES, FLOWS

#: Steps at most; those whose metric is told.
STEPS, TOLD = 150, (0, 1, 2, 3, 4, 6)


def flowing(case: str, size: int, flow: str, **keys) -> Flowing:
    """A flow of the figure, with keys of [flow] of one's own."""
    ambient, degree = CASES[case]
    kernel, own = FLOWS[flow]
    table = {
        "run": {"seed": 1},
        "manifold": {"ambient": ambient},
        "points": {"train": size, "test": 2000, "chart": "all"},
        "kernel": {"name": "kaehler", "degree": degree} | kernel,
        "flow": own | keys,
    }
    return Flowing.begun(Comm(), check(table, "bench"))


def told(step: int | str, flow) -> None:
    """Least and next eigenvalue over points, with the weight of the first point over the mean and eta of g_FS there."""
    least = least_eigenvalue(flow.state.g)
    at, w = int(np.argmin(least)), flow.problem.measure
    begun, sigma = flow.problem.reference()[at], flow.state.sigma
    print(
        f"{step:>8}{flow.state.loss:12.6f}{least[at]:11.2e}{np.sort(least)[1]:11.2e}{at:8}{w[at] / w.mean():10.3f}"
        f"{begun:10.3g}{sigma:10.4g}",
        flush=True,
    )


def descended(case: str, size: int, end: np.ndarray, dt: float) -> None:
    made = flowing(case, size, "j-omega", dt=dt, steps=STEPS)
    flow = made.flow
    flow.take(flow.problem.at(end))
    print(f"{case}, flow.dt = {dt:g}")
    print(f"{'step':>8}{'J':>12}{'least':>11}{'next':>11}{'point':>8}{'weight':>10}{'eta g_FS':>10}{'sigma':>10}")
    told(0, flow)
    made.begin()
    try:
        for step in range(1, STEPS + 1):
            flow.step()
            if step in TOLD:
                told(step, flow)
    except NumericalError as error:
        print(f"no step is left: {error}")
    told("last", flow)
    print(f"slope there: {np.linalg.norm(flow.problem.gradient(flow.state)):.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", nargs="?", default="quintic", choices=CASES)
    parser.add_argument("dt", nargs="*", type=float, default=[1.0, 0.3, 0.1])
    parser.add_argument("--size", type=int, default=2000, help="train points")
    parser.add_argument("--from", dest="share", type=float, default=1.0, help="share of the way to Gauss-Newton's end")
    given = parser.parse_args()
    end = flowing(given.case, given.size, "gauss-newton").finish().flow.state.coefficients
    for dt in given.dt:
        descended(given.case, given.size, given.share * end, dt)


if __name__ == "__main__":
    main()
