"""Whether a Kaehler flow fits, and which key to change where it does not."""

from __future__ import annotations

from mpiflow.config import Config
from mpiflow.errors import InputError
from mpiflow.plan.fit import Limits
from mpiflow.plan.low_rank import memory
from mpiflow.plan.low_rank.shape import Shape, shape

_GIB = 2**30


def check(config: Config, s: Shape, base: int, limits: Limits) -> None:
    """Raises InputError where the run cannot fit, with the nearest settings that do, or has too few points."""
    if config.kernel.preconditioner != "plain" and config.kernel.ridge == 0 and s.train <= s.features:
        raise InputError(
            f"points.train = {s.train}: no more than the {s.features} features of kernel.degree; take 3 times as many "
            "points, a lower degree, or kernel.ridge > 0"
        )
    share = limits.node * _GIB / min(s.ranks, limits.ranks_per_node)
    needed = _peak(config, s.ranks) + base
    if needed <= share:
        return
    cures = [f"{words} takes {_gib(size)}" for words, size in _changes(config, s, base) if size <= share]
    raise InputError(
        f"points.train = {s.train}, kernel.degree = {config.kernel.degree}: it takes {_gib(needed)} on each of {s.ranks} "
        f"ranks, which have {_gib(share)}; {'; '.join(cures) or 'take a machine with more memory'}"
    )


def _changes(config: Config, s: Shape, base: int):
    """The nearest changes of each kind, and the bytes that the run takes with them."""
    quarter = config.model_copy(
        update={"engine": config.engine.model_copy(update={"memory": config.engine.memory / 4})}
    )
    yield f"engine.memory = {quarter.engine.memory:g}", _peak(quarter, s.ranks) + base
    for factor in (2, 4, 16, 64):
        yield f"--ranks {factor * s.ranks}", _peak(config, factor * s.ranks) + base
    for degree in (config.kernel.degree * 3 // 4, config.kernel.degree // 2):
        lower = config.model_copy(update={"kernel": config.kernel.model_copy(update={"degree": max(2, degree)})})
        yield f"kernel.degree = {lower.kernel.degree}", _peak(lower, s.ranks) + base


def _peak(config: Config, ranks: int) -> int:
    return max(memory.stages(config, shape(config, ranks)).values())


def _gib(size: float) -> str:
    return f"{size / _GIB:,.2f} GiB"
