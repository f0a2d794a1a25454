"""What the tables [kernel] and [network] of a run file may name."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

from pydantic import PlainValidator, SerializeAsAny, ValidationInfo

from mpiflow.kernels import registry
from mpiflow.methods import own
from mpiflow.methods.potentials import KaehlerKernel
from mpiflow.methods.trial import trial
from mpiflow.settings.section import Kind

if TYPE_CHECKING:
    from mpiflow.config import Config


def of(config: Config) -> ModuleType:
    """What a run file's table is of: `methods.components`, `methods.potentials` or `methods.network`, with the same verbs."""
    return import_module(f"{__package__}.{config.moved_by.method}")


def kernels() -> list[str]:
    """What [kernel] may name, but for a file."""
    return [*registry.known(), KaehlerKernel.name, *own.installed()]


def kind(name: str, door: own.Door) -> type[Kind]:
    """The class of a kernel's name. Raises ValueError for one that there is not, with all that there are."""
    found = KaehlerKernel if name == KaehlerKernel.name else registry.find(name) or door(name)
    if found is None:
        raise ValueError(
            f'name: must be one of {", ".join(kernels())}, or a class of a file of yours, "mine.py:Laplace"'
        )
    return found


def kernel(table: object, info: ValidationInfo) -> Kind | None:
    """The kernel of a table [kernel]. Raises ValueError where there is none of its name."""
    if table is None or isinstance(table, Kind):
        return table
    keys = dict(table) if isinstance(table, dict) else {}
    found = kind(str(keys.pop("name", "")), info.context["door"]).model_validate(keys)
    if found.source is not None and "manifold" in info.data:
        trial(found, info.data["manifold"].coordinates - 1)
    return found


Kernel = Annotated[SerializeAsAny[Kind], PlainValidator(kernel)]
