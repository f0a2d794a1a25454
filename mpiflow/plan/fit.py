"""Whether a run fits, and which key to change where it does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from pathlib import Path

from mpiflow.config import Config
from mpiflow.errors import InputError
from mpiflow.plan.costs import Costs

_GIB = 2**30
#: Bytes of all nodes of a machine together, 1 PiB.
_LARGEST = 2**50


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


def check(of: Callable[[Config, int], Costs], costs: Costs, base: int, limits: Limits) -> None:
    """Raises InputError where the run cannot fit, with the nearest settings that do.

    of: the costs of another run file on other ranks. base: bytes of a process that has loaded what a run loads.
    """
    costs.refuse()
    why = _why(costs, base, limits)
    if not why:
        costs.start()
        return
    cures: dict[str, str] = {}
    for words, config, ranks in costs.changes():
        key = words.split()[0]
        if key not in cures and not _why(other := of(config, ranks), base, limits):
            cures[key] = f"{words} takes {_gib(_peak(other, base))}"
    raise InputError(f"{costs.key}: {why}; {'; '.join(cures.values()) or _last_cure(costs, base)}")


def _last_cure(costs: Costs, base: int) -> str:
    """What to do where no change of a key makes a run fit."""
    if costs.ranks * _peak(costs, base) > _LARGEST:
        return "no machine has as much: make the run smaller"
    return "take a machine with more memory, or make the run smaller"


def _why(costs: Costs, base: int, limits: Limits) -> str:
    """Why a run does not fit; "" where it does."""
    on_gpu = limits.sharers(costs.ranks) * costs.on_device
    share = limits.node * _GIB / min(costs.ranks, limits.ranks_per_node)
    if limits.gpus and on_gpu > limits.gpu * _GIB:
        return f"what it keeps takes {_gib(on_gpu)} of each GPU, which has {limits.gpu:g} GiB"
    if costs.excess or _peak(costs, base) <= share:
        return costs.excess
    return f"it takes {_gib(_peak(costs, base))} on each of {costs.ranks} ranks, which have {_gib(share)}"


def _peak(costs: Costs, base: int) -> int:
    return max(costs.bytes().values()) + base


def _gib(size: float) -> str:
    return f"{size / _GIB:,.2f} GiB" if size < _LARGEST else f"{size / _GIB:.2g} GiB"
