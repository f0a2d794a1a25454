"""A network that is added to the reference."""

from __future__ import annotations

from mpiflow.methods.network import Network


class Additive(Network):
    """[network] kind = "additive": g = g_FS + NN."""

    name = "additive"

    def joined(self, reference, added):
        """g of g_FS and the network's matrix: (d, d) complex."""
        return reference + added

    def slope(self, reference, along_reference, added, along):
        """d_c g_(a bbar) from those of both: (c, d, d) complex."""
        return along_reference + along
