"""What `run` asks before any work: would a plan refuse this run on the machine that it is started on?"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress

from mpiflow.config import Config
from mpiflow.errors import UnplannedError
from mpiflow.methods import registry
from mpiflow.plan import fit, process

#: Points of kernels of pairs up to which nothing takes long, or more memory than any machine has.
_FEW = 20_000


def ask(config: Config, hosts: list[str]) -> None:
    """Raises InputError where the run cannot fit, with the nearest setting that does, or has too few points.

    hosts: the machine of each rank, of which each is taken to have as much memory as this one.
    """
    few = config.points.train + config.points.test <= _FEW
    if config.moved_by.quadratic and few:
        return
    # Where there is no plan, or no word of the machine's memory, there is nobody to ask.
    with suppress(UnplannedError, OSError):
        room = registry.of(config).plan()
        limits = fit.Limits(fit.machine_memory(), max(Counter(hosts).values()))
        room.fit.check(config, room.shape.shape(config, len(hosts)), process.peak(), limits)
