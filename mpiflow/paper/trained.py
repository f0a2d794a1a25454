"""Trained networks as a comparison for frozen kernels: those of jobs/paper/network.toml at any number of points."""

from __future__ import annotations

from mpiflow.comm import Comm
from mpiflow.config import check
from mpiflow.job import evaluate
from mpiflow.job.flowing import Flowing

#: Epochs at 100 000 points; fewer points take as many mini-batches, up to MOST epochs.
EPOCHS, MOST = 50, 400


def network_rows(comm: Comm, seed: int, count: int, test: int, **network) -> list[evaluate.Row]:
    """Train a 3 x 64 network on `count` points of one chart; its rows of the evaluation on train and on unseen points.

    network: keys of [network] that differ from the baseline's. Raises InputError without JAX. Collective.
    """
    epochs = min(MOST, max(EPOCHS, EPOCHS * 100_000 // count))
    table = {
        "run": {"seed": seed, "precision": "float32"},
        "points": {"train": count, "test": test},
        "network": {"kind": "multiplicative", "batch": 128, "decay": 0.93 ** (EPOCHS / epochs)} | network,
        "flow": {"dt": 2e-3, "steps": epochs, "loss": "sigma"},
    }
    return Flowing.begun(comm, check(table, "network")).finish().table()[:2]
