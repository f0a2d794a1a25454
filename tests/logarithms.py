"""Potentials inside the logarithm, on points and with coefficients that are always the same."""

from __future__ import annotations

import numpy as np

from mpiflow import sampling
from mpiflow.ansatz.composed import Composed
from mpiflow.ansatz.log import Log
from mpiflow.comm import Comm
from mpiflow.dataset import PointSet
from mpiflow.flows.potential_predictor import KaehlerPredictor
from mpiflow.methods import potentials
from mpiflow.ranks.shards import Layout


def made(kind, surface, degree):
    return potentials.features(Comm(), surface, degree, kind)


def train_set(surface, total, stream=sampling.TRAIN):
    _, points = sampling.sample(Comm(), surface, total, 1, stream)
    return PointSet(Layout(Comm(), np.zeros(total, np.int32), 1, [1.0]), points, np.zeros(total, np.int32))


def predictor(kind, surface, degree, size=0.2):
    features = made(kind, surface, degree)
    c = np.random.default_rng(0).normal(size=len(features))
    return KaehlerPredictor(surface, features, size * c / np.abs(c).sum(), Composed(Log(), degree))


def layout(count):
    return Layout(Comm(), np.zeros(count, np.int32), 1, [1.0])
