"""What flows live on beside points and grids, in one file: left invariant metrics on SU(2), three numbers, under Ricci flow.

g = A s_1^2 + B s_2^2 + C s_3^2 with [e_1, e_2] = 2 e_3 and so on: A = B = C = 1 is the round sphere of radius 1, and
Ric(e_1, e_1) = 2 (A^2 - (B - C)^2) / (B C). An A = B = C shrinks as 1 - 4 t.
"""

import sys

import numpy as np

from mpiflow.belief.points import missing, outside
from mpiflow.errors import NumericalError
from mpiflow.flows.flow import Flow
from mpiflow.flows.grid import GridRecord
from mpiflow.job import grid_report
from mpiflow.job.driven import Driven
from mpiflow.plan import costs as of_run
from mpiflow.settings.section import Kind, Manifold, Positive

METRIC = "method/a_b_c"
LIVES = "groups"


class Berger(Manifold):
    """SU(2), and A, B, C at first."""

    a: Positive = 1.0
    b: Positive = 1.0
    c: Positive = 1.0

    lives = LIVES

    def domain(self):
        return self

    @property
    def coordinates(self):
        return 3

    dimension = coordinates


class Ricci(Kind):
    """dg/dt = -2 Ric."""

    lives = LIVES
    search = "rk4"
    answers = frozenset({"velocity"})


def flow(config, manifold, comm, stored):
    return ThreeNumbers(manifold, config.search, config.flow.dt)


def predictor(config, manifold, comm, stored, rows):
    config.on_points("a predictor")


def driven():
    return OnGroup


def load(config):
    pass


def costs():
    return sys.modules[__name__]


def complaints(state, config):
    yield from missing(state.arrays, (METRIC,))
    yield from outside(METRIC, state.arrays[METRIC], 0, np.inf)


class ThreeNumbers(Flow):
    def __init__(self, manifold, search, dt):
        self.theta = np.array([manifold.a, manifold.b, manifold.c])
        super().__init__(search, dt, self.theta)

    def halvings(self, dt):
        return 0

    def velocity(self, u):
        a, b, c = u, np.roll(u, -1), np.roll(u, -2)
        return -4 * (a**2 - (b - c) ** 2) / (b * c)

    def take(self, u):
        if not (u > 0).all():
            raise NumericalError(f"A, B, C = {u.tolist()}: the sphere has shrunk to a point; take fewer steps")
        self.theta = u

    def record(self, dt=0.0, rejected=0):
        return GridRecord(dt, rejected, float(self.theta.min()))

    def snapshot(self):
        return {METRIC: self.theta}

    def attributes(self):
        return {"engine": "three numbers", "engine_bytes": 24, "backend": "cpu"}


class OnGroup(Driven):
    report = grid_report
    beginning = "begin"

    def restore(self, restart):
        self.flow.theta = restart.rows(METRIC, None)

    def look(self):
        found = {"volume": float(2 * np.pi**2 * np.sqrt(self.flow.theta.prod()))}
        self.history.look(self.step, found)
        return found

    def opening(self):
        return f"A, B, C = {self.flow.theta.tolist()}"

    def shown(self, record):
        return f"least {record.min_eigenvalue:.4g}"

    def table(self):
        return grid_report.rows(self.history.arrays())


class Costs(of_run.Costs):
    mode = "three numbers"
    state, flowing = 60_000, 24
    key = "none"

    def bytes(self):
        return {"flow": 24, "save": 2 * self.state}

    def seconds(self, m):
        return {"flow": self.config.flow.steps * 1e-4}

    def step(self, m, look=False):
        return {"flow": 1e-4}


def timed(config, manifold):
    return {}
