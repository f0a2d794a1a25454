"""Bayesian optimisation of the keys of a run file, a new point set in every trial (HR 3.2); the only room with Optuna."""

from pathlib import Path


def worker_folder(study: Path, name: str) -> Path:
    """Where a worker of a study keeps its lock, its status and its log."""
    return study / "workers" / name
