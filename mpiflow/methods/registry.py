"""What the tables [kernel] and [network] of a run file may name, and the module of what they name."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

from mpiflow.doors.door import Door
from mpiflow.settings.section import VERBS, Kind

__all__ = ["KERNELS", "NETWORKS", "VERBS", "Kernel", "Network", "module", "of"]

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
    """What a run file's table is of, a module with the functions VERBS."""
    return module(type(config.moved_by))


def module(kind: type[Kind]) -> ModuleType:
    """The method of a class: of this room, or the file of the class itself."""
    return import_module(f"{__package__}.{kind.method}" if kind.method else kind.__module__)
