"""The four parts of a plan, shape, memory, seconds and fit, by what a run flows."""

from __future__ import annotations

from types import SimpleNamespace

from mpiflow.config import Config
from mpiflow.plan import fit, kaehler, memory, seconds, shape

_COMPONENTS = SimpleNamespace(fit=fit, memory=memory, seconds=seconds, shape=shape)


def parts(config: Config):
    """The modules for a run file: `plan.kaehler`, or those of component flows, which refuse what has no kernel."""
    return kaehler if config.method == "kaehler" else _COMPONENTS
