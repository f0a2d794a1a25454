"""What the tables [kernel] and [network] of a run file may name, and the module of what they name."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

from mpiflow.doors.door import Door
from mpiflow.settings.section import Kind

if TYPE_CHECKING:
    from mpiflow.config import Config

#: Kernels of components, and the methods that have a kernel of their own.
KERNELS = Door(
    "kernel.name",
    "mpiflow.settings.section:Kind",
    "mpiflow.kernels",
    "mpiflow.methods",
    users="mpiflow.kernels.kernel:Kernel",
)
#: Kinds of finite networks.
NETWORKS = Door("network.kind", "mpiflow.methods.network:Network", "mpiflow.methods.networks")

Network = Annotated[Kind | None, NETWORKS]
Kernel = Annotated[Kind | None, KERNELS]


def of(config: Config) -> ModuleType:
    """What a run file's table is of: `methods.components`, `potentials`, `network` or `grid`, with the same verbs."""
    return import_module(f"{__package__}.{config.moved_by.method}")
