"""Which backend a run uses and which GPU is whose: the same answer on all ranks, devices by node-local rank."""

from __future__ import annotations

import json
import os
import socket

from mpiflow import backend
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
        raise InputError(f'run.backend = "gpu": {len(reasons)} of {comm.size} ranks: {reasons[0]}; use "cpu" or "auto"')
    hosts = comm.allgather(socket.gethostname())
    backend.pick_device(hosts[: comm.rank].count(hosts[comm.rank]))
    return "gpu"


def bytes_by_device(comm: Comm, name: str, own: int) -> str:
    """What ranks hold on each device together, as JSON text; own: bytes of this rank. Collective."""
    here, total = backend.device(name), {}
    for device, held in comm.allgather((f"{socket.gethostname()} gpu {here.number}", own) if here else ("", 0)):
        total[device] = total.get(device, 0) + held
    return json.dumps(total if here else {}, sort_keys=True)


def cuda_aware() -> bool:
    """Whether MPI may be given device memory: MPIFLOW_CUDA_AWARE=1, since a library that cannot do it crashes."""
    return os.environ.get("MPIFLOW_CUDA_AWARE", "0") == "1"
