"""Whether a run fits, and which key to change where it does not."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from pathlib import Path

from mpiflow.config import Config
from mpiflow.errors import InputError
from mpiflow.plan import memory
from mpiflow.plan.shape import Shape, shape

_GIB = 2**30


@dataclass(frozen=True)
class Limits:
    """What there is: GiB of memory on a node, ranks that share it, GPUs and GiB on each (0: no GPU).

    Raises InputError for what no machine has.
    """

    node: float
    ranks_per_node: int
    gpus: int = 0
    gpu: float = 0.0

    def __post_init__(self):
        _positive("--memory", self.node, "GiB of a node, e.g. 64; leave it out for those of this machine")
        _whole("--ranks-per-node", self.ranks_per_node, 1, "leave it out where all ranks share one node")
        _whole("--gpus", self.gpus, 0, "leave it out where there is none")
        if self.gpus:
            _positive("--gpu-memory", self.gpu, "GiB of one GPU, e.g. 80")

    def serve(self, ranks: int) -> None:
        """Raises InputError where so many ranks are none, or fewer than the GPUs: a rank uses one."""
        _whole("--ranks", ranks, 1, "1 is a start")
        if self.gpus > ranks:
            raise InputError(
                f"--gpus {self.gpus} for {ranks} rank{'s' * (ranks > 1)}: a rank uses one GPU, and {self.gpus - ranks} would "
                f"stay idle; ask for --ranks {self.gpus}, or --gpus {ranks}"
            )
        nodes = self.nodes(ranks)
        if 0 < self.gpus < nodes:
            raise InputError(
                f"--gpus {self.gpus} on {nodes} nodes: some would have none; ask for --gpus {nodes}, or more "
                f"--ranks-per-node than {self.ranks_per_node}"
            )

    def nodes(self, ranks: int) -> int:
        """Nodes that so many ranks take."""
        return -(-ranks // self.ranks_per_node)

    def sharers(self, ranks: int) -> int:
        """Ranks on the GPU that has the most of them."""
        return -(-ranks // self.gpus) if self.gpus else 0


#: More ranks or GPUs than any machine has: a slip of the finger.
_MOST = 10**8


def _positive(name: str, value: float, cure: str) -> None:
    if not 0 < value < inf:
        raise InputError(f"{name} = {value:g}: must be a positive number; {cure}")


def _whole(name: str, value: int, least: int, cure: str) -> None:
    if not least <= value <= _MOST:
        raise InputError(f"{name} = {value}: must be from {least} to {_MOST:,}; {cure}")


def machine_memory() -> float:
    """GiB of memory of this machine."""
    words = Path("/proc/meminfo").read_text().split()
    return int(words[words.index("MemTotal:") + 1]) / 2**20


def check(config: Config, s: Shape, base: int, limits: Limits) -> None:
    """Raises InputError where the run cannot fit, with the nearest setting that does."""
    kernel = memory.engine(s, s.rows)
    budget = config.engine.memory * _GIB
    needed = max(memory.stages(config, s).values()) + base
    share = limits.node * _GIB / min(s.ranks, limits.ranks_per_node)
    on_gpu = limits.sharers(s.ranks) * (memory.engine(s, s.rows) + memory.engine(s, s.unseen))
    if limits.gpus and on_gpu > limits.gpu * _GIB:
        why = f"its tiles take {_gib(on_gpu)} of each GPU, which has {limits.gpu:g} GiB"
    elif s.mode == "resident" and kernel > budget:
        why = f"its kernel of {s.rows:,} x {s.sources:,} entries takes {_gib(kernel)} on each of {s.ranks} ranks, and "
        why += f"engine.memory allows {config.engine.memory:g} GiB"
    elif needed > share:
        why = f"it takes {_gib(needed)} on each of {s.ranks} ranks, which have {_gib(share)}"
    else:
        return
    key = f"points.test = {s.test}" if s.test > s.train else f"points.train = {s.train}"
    if s.mode == "resident" and s.test <= s.train:
        key = f'engine.mode = "{config.engine.mode}"'
    raise InputError(f"{key}: {why}; {_cure(config, s, base, share, budget)}")


def _cure(config: Config, s: Shape, base: int, share: float, budget: float) -> str:
    """The nearest settings that fit: another engine, more ranks, or fewer points."""
    cures = []
    if s.mode != "streamed" and not config.kernel.nearest:
        streamed = shape(_with(config, "engine", mode="streamed"), s.ranks)
        if (least := max(memory.stages(config, streamed).values()) + base) <= share:
            cures.append(f'engine.mode = "streamed" takes {_gib(least)}')
    ranks = next((r for r in _doubled(s.ranks) if _fits(shape(config, r), config, base, share, budget)), None)
    if ranks:
        cures.append(f"--ranks {ranks} fits as it is")
    if not cures:
        train = next((n for n in _halved(s.train) if _fits(_smaller(config, n, s), config, base, share, budget)), None)
        cures.append(f"points.train = {train} fits" if train else "take a machine with more memory")
    return "; ".join(cures)


def _fits(s: Shape, config: Config, base: int, share: float, budget: float) -> bool:
    too_large = s.mode == "resident" and memory.engine(s, s.rows) > budget
    return not too_large and max(memory.stages(config, s).values()) + base <= share


def _smaller(config: Config, train: int, s: Shape) -> Shape:
    return shape(_with(config, "points", train=train), s.ranks)


def _with(config: Config, section: str, **keys) -> Config:
    return config.model_copy(update={section: getattr(config, section).model_copy(update=keys)})


def _doubled(ranks: int) -> list[int]:
    return [ranks * 2**k for k in range(1, 18)]


def _halved(train: int) -> list[int]:
    return [train // 2**k for k in range(1, 12) if train // 2**k]


def _gib(size: float) -> str:
    return f"{size / _GIB:,.2f} GiB"
