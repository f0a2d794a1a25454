"""The slope of a functional of the metric on a torus, by JAX (HR 2.13)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np

from mpiflow.grids.periodic import Metric

if TYPE_CHECKING:
    from mpiflow.grids.fields.functional import Functional


def gradient(functional: Functional, u: np.ndarray) -> np.ndarray:
    """d L / du of a metric u: (c, n, ..., n) float64."""
    return np.asarray(_compiled(functional)(u))


@cache
def _compiled(functional: Functional):
    return jax.jit(jax.grad(lambda u: functional.value(Metric(u, jnp))))
