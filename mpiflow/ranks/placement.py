"""Which backend a run uses and which GPU is whose: the same answer on all ranks, devices by node-local rank."""

from __future__ import annotations

import json
import os
import socket

from mpiflow import backend
from mpiflow.backend import Device
from mpiflow.comm import Comm
from mpiflow.errors import InputError


def place(comm: Comm, wanted: str) -> str:
    """ "cpu" or "gpu" for all ranks; on "gpu" this rank has taken its device. "auto" is a GPU if every rank has one.

    Ranks of one node share its GPUs round robin. Raises InputError where "gpu" is wanted and some rank has none. Collective.
    """
    if wanted == "cpu":
        return "cpu"
    module, reason = backend.probe()
    reasons = [said for said in comm.allgather(reason if module is None else "") if said]
    if reasons and wanted == "auto":
        return "cpu"
    if reasons:
        raise _refused(comm, reasons)
    broken = backend.take(local_rank(comm))
    reasons = [said for said in comm.allgather(broken) if said]
    if reasons and wanted == "auto":
        return "cpu"
    if reasons:
        raise _refused(comm, reasons)
    return "gpu"


def local_rank(comm: Comm) -> int:
    """The number of this rank among those of its node; collective."""
    hosts = comm.allgather(socket.gethostname())
    return hosts[: comm.rank].count(hosts[comm.rank])


def bytes_by_device(comm: Comm, device: Device, own: int) -> str:
    """What ranks hold on each device together, as JSON text; own: bytes of this rank. Collective."""
    total = {}
    for name, held in comm.allgather((f"{socket.gethostname()} {device.name}", own)):
        total[name] = total.get(name, 0) + held
    return json.dumps({} if device is backend.HOST else total, sort_keys=True)


def cuda_aware(comm: Comm) -> bool:
    """Whether MPI may be given device memory: MPIFLOW_CUDA_AWARE=1. A library that cannot do it crashes.

    Raises InputError where it says of itself that it cannot.
    """
    if os.environ.get("MPIFLOW_CUDA_AWARE", "0") != "1":
        return False
    kinds = comm.memory_kinds()
    if kinds and "cuda" not in kinds:
        raise InputError(
            f"MPIFLOW_CUDA_AWARE = 1: this MPI takes memory of {kinds} alone and would crash; leave the variable unset, "
            "and rows go through the host"
        )
    return True


def _refused(comm: Comm, reasons: list[str]) -> InputError:
    return InputError(f'run.backend = "gpu": {len(reasons)} of {comm.size} ranks: {reasons[0]}; use "cpu" or "auto"')
