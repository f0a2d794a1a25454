"""A run file on a real grid at work: a metric, its steps, and what is measured of it. There are no points and no charts."""

from __future__ import annotations

import numpy as np

from mpiflow.job import grid_report
from mpiflow.job.driven import Driven
from mpiflow.job.restart import Restart


class OnGrid(Driven):
    """A metric on a grid; where its space has slabs, each rank has the rows that follow each other, else all of it."""

    report = grid_report
    beginning = "begin"
    careful = True

    def restore(self, restart: Restart) -> None:
        """Go on where a state was written."""
        self.flow.restore(restart.reader(np.arange(self.surface.shape[0])[self.flow.rows]))
        self.flow.time = float(self.history.columns["time"][-1])

    def look(self) -> dict[str, float]:
        """What the space measures of the metric now, remembered."""
        found = self.flow.measured()
        self.history.look(self.step, found)
        return found

    def opening(self) -> str:
        """The grid, its flow, and how it lies on the ranks."""
        grid = " x ".join(map(str, self.surface.shape))
        return f"{grid} grid points on {self.comm.size} ranks, {self.flow.attributes()['engine']}"

    def shown(self, record) -> str:
        """The time, and the least eigenvalue of the metric."""
        return f"t {self.history.columns['time'][-1]:.4g}  least eigenvalue {record.min_eigenvalue:.4g}"

    def table(self) -> list[grid_report.Row]:
        """What was measured at the first and at the last look."""
        return grid_report.rows(self.history.arrays())
