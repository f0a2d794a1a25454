"""What every step did, column by column, as it grows and as states hold it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np


@dataclass(frozen=True)
class Record:
    """What one step did; after it: sigma, w-mean of the loss and least eigenvalue over the train points (theory 3).

    degree: k of the functions of a potential on its way up a ladder; else None.
    """

    dt: float
    step_rejected: int
    sigma_train: float
    loss: float
    min_eigenvalue: float
    degree: int | None = None


class History:
    """Columns of one entry a step, and of one entry at each look."""

    def __init__(self, columns: dict[str, np.ndarray] | None = None):
        """columns: "history/name" -> array of a state to go on from; None for a new run."""
        self.columns = {name.removeprefix("history/"): list(column) for name, column in (columns or {}).items()}

    def add(self, step: int, record: Record) -> None:
        """One step; its time is the sum of the steps dt so far."""
        time = self.columns["time"][-1] + record.dt if self.columns else 0.0
        for name, value in {"step": step, "time": time, **asdict(record)}.items():
            if value is not None:
                self.columns.setdefault(name, []).append(value)

    def look(self, step: int, measured: dict[str, float]) -> None:
        """What was measured after a step: of points sigma_test, of the unseen ones."""
        for name, value in {"test_step": step, **measured}.items():
            self.columns.setdefault(name, []).append(value)

    def arrays(self) -> dict[str, np.ndarray]:
        """name -> array, the names without their group."""
        return {name: np.array(column) for name, column in self.columns.items()}
