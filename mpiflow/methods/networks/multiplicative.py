"""The network of the paper: it multiplies the reference entry by entry (HR 3.3)."""

from __future__ import annotations

from mpiflow.methods.network import Network


class Multiplicative(Network):
    """[network] kind = "multiplicative": g = g_FS (1 + NN), entry by entry."""

    name = "multiplicative"

    def joined(self, reference, added):
        """g of g_FS and the network's matrix: (d, d) complex."""
        return reference + reference * added

    def slope(self, reference, along_reference, added, along):
        """d_c g_(a bbar) from those of both: (c, d, d) complex."""
        return along_reference * (1 + added) + reference * along
