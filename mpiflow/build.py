"""From the words of a run file to the objects of the flow: what its method builds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mpiflow.comm import Comm
from mpiflow.config import Config
from mpiflow.dataset import PointSet
from mpiflow.flows.predictor import Predictor
from mpiflow.geometry.domain import Domain
from mpiflow.grids import Space
from mpiflow.methods import registry


def flow(config: Config, surface: Domain | Space, train: PointSet | Comm, stored: dict):
    """The flow of a run file at step 0; stored: attributes of the state it resumes from, {} for none. Collective.

    train: of a run without points, on a grid, the ranks.
    """
    return registry.of(config).flow(config, surface, train, stored)


def predictor(
    config: Config, surface: Domain, train: PointSet, stored: dict, rows: Callable[..., np.ndarray]
) -> Predictor:
    """The metric that a state predicts: rows(name) gives own train rows of a dataset, rows(name, None) all; collective."""
    return registry.of(config).predictor(config, surface, train, stored, rows)


def load(config: Config) -> None:
    """Compile what is compiled at first use into its cache, so that ranks load it rather than all compile it."""
    registry.of(config).load(config)
