"""Networks of their own for all components of a metric: no two of them mix (HR 2.19 - 2.23)."""

from __future__ import annotations

from mpiflow.methods.networks.additive import Additive


class Independent(Additive):
    """[network] kind = "independent": g = g_FS + NN, every real of NN a network of `width` units and one output."""

    name = "independent"
    apart = True
