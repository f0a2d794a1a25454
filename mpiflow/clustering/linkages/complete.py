"""Complete linkage."""

from __future__ import annotations

from mpiflow.clustering.linkages.average import Average


class Complete(Average):
    """clusters.linkage = "complete": least distance of the furthest members first."""

    name = "complete"
