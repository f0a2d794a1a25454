"""The losses of a network and their gradient over a chunk of points (theory 3)."""

from __future__ import annotations

from dataclasses import dataclass, fields

import jax
import jax.numpy as jnp
import numpy as np

from mpiflow.functionals import Functional
from mpiflow.functionals.sigma import Sigma
from mpiflow.methods.network import Network
from mpiflow.network import metrics
from mpiflow.network.architecture import Architecture


@dataclass(frozen=True)
class Objective:
    """sigma l(eta) + kaehler |dg|^2 + transition |g_y - T^T g_x conj(T)|^2, with weights of the same names.

    |dg| is the Kaehler defect; both norms are in frames with g_FS = 1, so that no chart matters more than another.
    """

    architecture: Architecture
    kind: Network
    loss: Functional = Sigma()
    sigma: float = 1.0
    kaehler: float = 0.0
    transition: float = 0.0

    def at(self, theta, p):
        """The loss at one point; p: its columns, with volume (eta = volume det g)."""
        total = 0.0
        if self.sigma:
            total += self.sigma * self.loss.value(p["volume"] * metrics.determinant(self.metric(theta, p)), jnp)
        if self.kaehler:
            total += self.kaehler * self._twist(theta, p)
        if self.transition:
            total += self.transition * self._mismatch(theta, p)
        return total

    def metric(self, theta, p):
        """g in the point's chart, or for a potential in its frame: (d, d) complex Hermitian."""
        return self.kind.metric(self.architecture, theta, p)

    def begun(self, theta, p):
        """What NN_0, of the parameters theta, gives of a point: columns that are taken off where `Architecture.since` says so.

        begun: (outputs,) reals, begun_along: (c, outputs) complex, begun2: in the second chart; as its own columns ask for.
        """
        found = {"begun": self.architecture(theta, p["x"])}
        if "along" in p:
            found["begun_along"] = self._pushed(theta, p)[1]
        if "x2" in p:
            found["begun2"] = self.architecture(theta, p["x2"])
        return found

    def _twist(self, theta, p):
        """1/2 sum |d_c g_(a bbar) - d_a g_(c bbar)|^2 in the frame: the square of the Kaehler defect."""
        value, along = self._derivatives(theta, p)
        slope = self.kind.slope(p["reference"], p["slope"], value, along)
        twist = slope - slope.transpose(1, 0, 2)
        e = p["frame"]
        twist = jnp.einsum("cC,aA,bB,cab->CAB", e, e, e.conj(), twist)
        return (twist.real**2 + twist.imag**2).sum() / 2

    def _derivatives(self, theta, p):
        """The matrix of the network (d, d), and its holomorphic derivatives along X, (c, d, d) complex."""
        value, along = self._pushed(theta, p)
        if "begun" in p:
            value, along = value - p["begun"], along - p["begun_along"]
        return metrics.matrix(value), jax.vmap(metrics.matrix)(along)

    def _pushed(self, theta, p):
        value, push = jax.linearize(lambda x: self.architecture(theta, x), p["x"])
        return value, jax.vmap(push)(p["along"].real) + 1j * jax.vmap(push)(p["along"].imag)

    def _mismatch(self, theta, p):
        """|E^T (g_y - T^T g_x conj(T)) conj(E)|^2, E a frame of g_FS in the second chart y."""
        here = self.metric(theta, p)
        there = self.metric(theta, {name: p[name + "2"] for name in ("x", "reference", "begun") if name + "2" in p})
        difference = p["frame2"].T @ there @ p["frame2"].conj() - p["carried"].T @ here @ p["carried"].conj()
        return (difference.real**2 + difference.imag**2).sum()


_WORDS = [field.name for field in fields(Objective) if field.name != "architecture"]
jax.tree_util.register_dataclass(Objective, ["architecture"], _WORDS)


@jax.jit
def chunk(objective: Objective, theta, columns):
    """Gradient, then value, of the weighted sum of the loss over a chunk: (P + 1,) reals.

    columns: name -> (n, ...), among them weight (n,). One array, since it is summed over ranks as one.
    """

    def total(theta):
        return (columns["weight"] * jax.vmap(lambda p: objective.at(theta, p))(columns)).sum()

    value, gradient = jax.value_and_grad(total)(theta)
    return jnp.append(gradient, value)


@jax.jit
def metric(objective: Objective, theta, columns):
    """The metrics of a chunk: (n, d, d) complex."""
    return jax.vmap(lambda p: objective.metric(theta, p))(columns)


@jax.jit
def begun(objective: Objective, theta, columns):
    """What NN_0 gives of a chunk, as columns of its points."""
    return jax.vmap(lambda p: objective.begun(theta, p))(columns)


def columns_of(columns: dict[str, np.ndarray], precision: str) -> dict[str, np.ndarray]:
    """Columns in the precision of a training."""
    if precision == "float64":
        return columns
    short = {"f": np.float32, "c": np.complex64}
    return {name: column.astype(short[column.dtype.kind]) for name, column in columns.items()}
