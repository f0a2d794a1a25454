"""A network that is a Kaehler potential: one function on X, exactly Kaehler in every chart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import model_validator

from mpiflow.methods.network import Network

if TYPE_CHECKING:
    from mpiflow.sampling import Points


class Potential(Network):
    """[network] kind = "potential": g = g_FS + d dbar phi, phi a network of P(z) = z zbar^T / |z|^2."""

    name = "potential"
    whole = True

    @model_validator(mode="after")
    def _kaehler(self):
        if self.activation == "relu":
            raise ValueError('activation = "relu": a potential needs second derivatives; take "gelu" or "tanh"')
        if self.kaehler + self.transition:
            raise ValueError("kaehler, transition: a potential is Kaehler and one function on X; remove both")
        return self

    def ends(self, coordinates: int, dimension: int) -> tuple[int, int]:
        """The entries of P, and phi."""
        return coordinates**2, 1

    def columns(self, surface, z, chart):
        """Frames of the points, in which g_FS = 1."""
        from mpiflow.network import inputs

        return inputs.potential(surface, z, chart)

    def density(self, surface, points: Points):
        """|Omega|^2 / det g_FS: in a frame det g is that of the chart over det g_FS."""
        return surface.form(points)

    def metric(self, network, theta, p):
        """g in the frame of a point: (d, d) complex Hermitian."""
        from mpiflow.network import metrics

        return metrics.potential(network, theta, p["z"], p["vectors"], p.get("parts"))
