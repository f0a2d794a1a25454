"""The integral of R^2, Calabi's functional, and its slope (HR app. B)."""

from __future__ import annotations

from mpiflow.grids.fields.functional import Functional
from mpiflow.grids.periodic import Metric


class CurvatureSquared(Functional):
    """kernel.field = "curvature-squared": L = int R^2 dV, of fourth order."""

    name = "curvature-squared"

    def value(self, metric: Metric):
        """int R^2 dV."""
        return metric.integral(metric.scalar**2)
