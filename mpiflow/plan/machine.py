"""What a machine does in a second: defaults that were measured once, or a ten-second measurement of this one, stored."""

from __future__ import annotations

import json
import os
import platform
import re
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from mpiflow import losses, sampling
from mpiflow.config import Config
from mpiflow.files import put, take
from mpiflow.functionals import Functional
from mpiflow.functionals.log import Log
from mpiflow.kernels.costs import Work
from mpiflow.measures import least_eigenvalue
from mpiflow.methods import registry
from mpiflow.plan.stopwatch import best, once

#: Points of a step that is timed; bytes of the memory that is touched.
_POINTS = 8192
_FRESH = 2**29
#: An entry that arrays compute takes 4 to 6 times as long as one in registers (measured: exp(-d / width), the erf NTK).
_ARRAYS = 5


@dataclass(frozen=True)
class Machine:
    """Seconds a unit of work on one rank. entry, paired, stored: of a kernel entry that is streamed, computed for both its
    halves, read; filled: of one computed and kept. latency: of one collective; byte: of one byte sent; written: of one
    byte kept.

    start: what a run compiles once; fresh: of one byte of memory that is touched for the first time, which on a virtual
    machine may cost more than what is written into it.

    Of work on features (`kernels.costs.Work`): flop, of matrix products; read, of one byte that comes from memory for
    them; product, of two complex numbers in whole arrays.
    """

    origin: str = "defaults: a core of a 2-core virtual machine with AVX-512; --calibrate measures this one"
    entry: float = 3.9e-9
    paired: float = 2.4e-9
    filled: float = 3.9e-9
    stored: float = 1.5e-9
    point: float = 5e-7
    line: float = 2e-6
    start: float = 0.3
    fresh: float = 5e-10
    pair: float = 7e-8
    latency: float = 2e-5
    byte: float = 2e-10
    written: float = 3e-9
    flop: float = 6e-11
    read: float = 1.6e-11
    product: float = 4e-9

    def takes(self, work: Work) -> float:
        """Seconds of work on features."""
        return work.flops * self.flop + work.read * self.read + work.products * self.product

    def step_entry(self, mode: str, kept: float) -> float:
        """Seconds of one kernel entry in a step."""
        return {
            "resident": self.stored,
            "streamed": self.entry,
            "symmetric": self.paired,
            "neighbours": 4 * self.stored * kept,
        }[mode]


def load(config: Config) -> Machine:
    """The stored measurement of this machine for this kernel and precision, or the defaults."""
    try:
        found = json.loads(take(_path(config)))
        # An older measurement lacks some of them: defaults beside it would be called measured.
        usual = asdict(Machine())
        ours = found.keys() == usual.keys() and all(type(found[name]) is type(usual[name]) for name in usual)
        return Machine(**found) if ours else _defaults(config)
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return _defaults(config)


def _defaults(config: Config) -> Machine:
    slower = _ARRAYS if getattr(config.kernel, "on_arrays", False) else 1
    return Machine(entry=slower * Machine.entry, filled=slower * Machine.filled)


def calibrate(config: Config) -> Machine:
    """Measure this machine with the kernel of a run file, for about ten seconds, and store it."""
    surface = config.surface()
    seconds = {"fresh": _touched(), "start": once(lambda: sampling.chunk(surface, 1, sampling.EVALUATE, 1, None))}
    seconds |= registry.of(config).costs().timed(config, surface)
    # What needs to know more than eta takes about as long as a function of it.
    loss = Log() if config.flow.loss.asks else config.flow.loss
    seconds["line"] = best(lambda: sampling.chunk(surface, 1, sampling.EVALUATE, 1, None)) / surface.cuts
    seconds["point"] = best(lambda: _losses(_POINTS, surface.dimension, loss)) / _POINTS
    found = Machine(origin=f"{platform.node()}, measured {time.strftime('%Y-%m-%d %H:%M')}", **seconds)
    path = _path(config)
    path.parent.mkdir(parents=True, exist_ok=True)
    put(path, json.dumps(asdict(found), indent=1) + "\n")
    return found


def _losses(count: int, d: int, loss: Functional) -> None:
    """What a step does for each point besides the kernel: eta, gradient, update, positivity."""
    g = np.broadcast_to(np.eye(d, dtype=complex), (count, d, d)).copy()
    eta = losses.eta(g, np.ones(count), 1.1)
    g -= 1e-3 * losses.gradient(g, eta, loss)
    losses.determinant(g), least_eigenvalue(g)


def _touched() -> float:
    """Seconds a byte of memory that the system has to find first: once, for a second time it may be at hand."""
    return once(lambda: np.ones(_FRESH, np.uint8)) / _FRESH


def _path(config: Config) -> Path:
    kind = re.sub(r"[^\w.-]+", "_", config.method)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "mpiflow" / f"machine-{platform.node()}-{kind}-{config.run.precision}.json"
