"""A flow of a single number, in one file: g = h^p g_FS with h = |Omega|^2 / det g_FS, which has sigma 0 at p = 1/d."""

import sys

import numpy as np

from mpiflow import losses
from mpiflow.belief import points
from mpiflow.belief.points import missing, outside
from mpiflow.flows.flow import Flow
from mpiflow.flows.history import Record
from mpiflow.flows.predictor import Predictor
from mpiflow.measures import kappa_of, least_eigenvalue, mean, sigma
from mpiflow.methods.components import driven as driven
from mpiflow.plan import costs as of_run
from mpiflow.plan import points as of_points
from mpiflow.settings.section import Kind
from mpiflow.state import schema

POWER = "method/power"
schema.say(POWER, "1", "p of g = h^p g_FS")


class Conformal(Kind):
    """p flows down the loss, from `start`."""

    start: float = 0.0
    """p at first."""

    answers = frozenset({"direction"})
    kappa = "step"
    space = {"flow.dt": [0.01, 1.0]}


def flow(config, surface, train, stored):
    return ConformalFlow(surface, train, config.flow.loss, config.search, config.flow.dt, config.kernel.start)


def predictor(config, surface, train, stored, rows):
    return ConformalPredictor(surface, rows(POWER, None))


def load(config):
    pass


def costs():
    return sys.modules[__name__]


def complaints(state, config):
    yield from points.complaints(state, config)
    yield from missing(state.arrays, (POWER,))
    yield from outside(POWER, state.arrays[POWER], -1e3, 1e3)


class ConformalFlow(Flow):
    """theta: (1,), the number p, the same on all ranks."""

    def __init__(self, surface, train, loss, search, dt, start):
        self.surface, self.train, self.loss, self.theta = surface, train, loss, np.array([start])
        self.reference = train.reference(surface)
        self.log = np.log(train.points.omega2 / losses.determinant(self.reference))
        super().__init__(search, dt, self.theta)

    @property
    def metric(self):
        return scaled(self.reference, self.log, self.theta)

    def eta(self):
        g, p = self.metric, self.train.points
        return losses.eta(g, p.omega2, kappa_of(self.train.layout, p, g))

    def average(self, value):
        return mean(self.train.layout, self.train.points, value)

    def direction(self):
        # d log eta / dp, whose w-mean with eta is 0 as kappa goes along.
        eta, slope = self.eta(), self.surface.dimension * self.log
        return np.array([self.average(self.loss.slope(eta) * eta * (slope - self.average(eta * slope)))])

    def tried(self, step):
        # Any power of a positive number is one.
        return self.theta - step if np.isfinite(step).all() else None

    def take(self, trial):
        self.theta = trial

    def complaint(self, direction, dt):
        return f"no step of {dt:g} is finite; take a smaller flow.dt"

    def record(self, dt=0.0, rejected=0):
        g, train = self.metric, self.train
        least = train.layout.comm.min(float(least_eigenvalue(g).min(initial=np.inf)))
        return Record(
            dt, rejected, sigma(train.layout, train.points, g), self.average(self.loss.value(self.eta())), least
        )

    def snapshot(self):
        return {"metric/current": self.train.layout.gather(self.metric), POWER: self.theta}

    def restore(self, rows):
        self.theta = rows(POWER, None)

    def attributes(self):
        return {"engine": "one number", "engine_bytes": self.log.nbytes, "backend": "cpu"}

    def predictor(self):
        return ConformalPredictor(self.surface, self.theta)

    def watch(self, targets):
        p = targets.points
        return lambda: self.predictor().metric(targets.layout, p.z, p.chart)


class ConformalPredictor(Predictor):
    continuous = True

    def __init__(self, surface, power):
        self.surface, self.power = surface, power

    def metric(self, targets, z, chart):
        reference = self.surface.reference(z, chart)
        return scaled(reference, np.log(self.surface.omega2(z, chart) / losses.determinant(reference)), self.power)


def scaled(reference, log, power):
    return reference * np.exp(power * log)[:, None, None]


class Costs(of_run.PointCosts):
    mode = "one number"

    def engine(self, rows):
        return 8 * rows

    @property
    def held(self):
        return self.rows * (8 + self.metric)

    @property
    def building(self):
        return self.held + self.rows * 16 * self.coordinates * (self.dimension + 2)

    stepping = looking = evaluating = building
    own = 8

    def step(self, m, look=True):
        return {"losses": (self.rows + self.unseen * look) * m.point}

    def built(self, m):
        return self.rows * m.point

    evaluated = built


timed = of_points.timed
