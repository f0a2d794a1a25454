"""Fully connected networks as functions of one flat array of parameters."""

from __future__ import annotations

from dataclasses import dataclass, fields

import jax
import jax.numpy as jnp
import numpy as np

from mpiflow import streams

# gelu is x/2 (1 + tanh(sqrt(2/pi) (x + .044715 x^3))), within 5e-4 of the one with erf.
_ACTIVATIONS = {"relu": jax.nn.relu, "gelu": jax.nn.gelu, "tanh": jnp.tanh}


@dataclass(frozen=True)
class Architecture:
    """`depth` hidden layers of `width` units between (inputs,) and (outputs,) reals.

    tangent: None, or (w_std, b_std) for the NTK parameterisation, in which a layer is w_std / sqrt(in) W x + b_std b and
    all parameters begin as standard normal numbers, as in `kernels.relu`. apart: whether every output has a network of its
    own (HR 2.19 - 2.23); their parameters stand one after the other. since: the seed of the parameters that it begins at and
    that its metric counts from, NN - NN_0 (`objective.Objective.begun`); None for NN alone. To JAX it is data: networks of
    one shape compile once.
    """

    inputs: int
    outputs: int
    width: int
    depth: int
    activation: str
    tangent: tuple[float, float] | None = None
    apart: bool = False
    since: int | None = None

    @property
    def networks(self) -> int:
        """How many there are."""
        return self.outputs if self.apart else 1

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """(in, out) of each layer of a network."""
        widths = [self.inputs, *[self.width] * self.depth, self.outputs // self.networks]
        return list(zip(widths[:-1], widths[1:], strict=True))

    @property
    def size(self) -> int:
        """Number P of parameters."""
        return self.networks * sum((a + 1) * b for a, b in self.shapes)

    def initial(self, seed: int, silent: bool = True) -> np.ndarray:
        """First parameters, (P,) float64: weights uniform of variance 2 / (in + out) (Glorot), no biases.

        silent: the last layer is zero, so that a run begins at g_FS.
        """
        draws, parts = streams.generator(seed if self.since is None else self.since, streams.PARAMETERS, 0), []
        if self.tangent:
            return draws.standard_normal(self.size)
        for number, (a, b) in [*enumerate(self.shapes)] * self.networks:
            bound = 0.0 if silent and number == self.depth else np.sqrt(6 / (a + b))
            parts += [bound * draws.uniform(-1, 1, a * b), np.zeros(b)]
        return np.concatenate(parts)

    def layers(self, theta):
        """(weight, bias, activation) of each layer of one network, None for the last one's; theta: (P,) of that alone."""
        start, act = 0, _ACTIVATIONS[self.activation]
        w_std, b_std = self.tangent or (1.0, 1.0)
        for number, (a, b) in enumerate(self.shapes):
            middle, stop = start + a * b, start + (a + 1) * b
            scale = w_std / a**0.5 if self.tangent else 1.0
            weight, bias = scale * theta[start:middle].reshape(a, b), b_std * theta[middle:stop]
            yield weight, bias, act if number < self.depth else None
            start = stop

    def __call__(self, theta, x):
        """The network of parameters (P,) at one input (inputs,): (outputs,) reals."""
        if self.apart:
            return jax.vmap(lambda own: self._one(own, x)[0])(theta.reshape(self.networks, -1))
        return self._one(theta, x)

    def _one(self, theta, x):
        for weight, bias, act in self.layers(theta):
            x = x @ weight + bias
            x = x if act is None else act(x)
        return x


jax.tree_util.register_dataclass(
    Architecture, ["since"], [field.name for field in fields(Architecture) if field.name != "since"]
)
