"""A gradient step of a finite network beside the flow under its own kernel, which it is as dt -> 0 (HR 2.7, 2.8)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mpiflow import hermitian, losses, streams
from mpiflow.network import inputs, objective
from mpiflow.network.empirical_ntk import jacobian, ntk
from mpiflow.network.objective import Objective


class Step:
    """A network at the parameters theta (P,) on N points, all on this rank.

    columns: as its kind takes them, with volume. slopes: (N, d^2, P), of the metric as d^2 reals.
    """

    def __init__(self, goal: Objective, theta: np.ndarray, columns: inputs.Columns):
        self.goal, self.theta, self.columns = goal, theta, columns
        self.slopes = jacobian(goal, theta, columns)
        self.begun = self.metric(theta)
        self.total = len(self.begun)

    def metric(self, theta: np.ndarray) -> np.ndarray:
        """g at the points: (N, d^2) reals."""
        return hermitian.to_reals(np.asarray(objective.metric(self.goal, theta, self.columns)))

    def contributions(self) -> np.ndarray:
        """Theta(x, x') dl/dg(x') of HR 2.8, dl/dg in closed form: (N', N, d^2), the first axis that of x'."""
        g = hermitian.from_reals(self.begun)
        eta = self.columns["volume"] * losses.determinant(g)
        pulled = hermitian.to_reals(losses.gradient(g, eta, self.goal.loss))
        return np.einsum("xaI,yI->yxa", self.slopes, np.einsum("yaI,ya->yI", self.slopes, pulled), optimize=True)

    def velocity(self) -> np.ndarray:
        """dg/dt of HR 2.8, the sum over points a mean: (N, d^2)."""
        return -self.contributions().mean(0)

    def after(self, dt: float, batch: np.ndarray | None = None) -> np.ndarray:
        """g after a step of the parameters against the slope of the mean loss of all points, or of a batch: (N, d^2)."""
        return self.metric(self.theta - dt * self._slope(self.theta, batch))

    def departures(self, steps: list[float]) -> list[float]:
        """|Delta g / dt - dg/dt| / |dg/dt| of steps of each length."""
        flow = self.velocity()
        return [float(np.linalg.norm((self.after(dt) - self.begun) / dt - flow) / np.linalg.norm(flow)) for dt in steps]

    def ends(self, time: float, steps: list[int]) -> list[float]:
        """How far so many steps to a time end from the flow, over how far that went; the flow is Runge and Kutta's."""
        theta, h = self.theta, time / (2 * max(steps))
        for _ in range(2 * max(steps)):
            a = self._slope(theta)
            b = self._slope(theta - h / 2 * a)
            c = self._slope(theta - h / 2 * b)
            theta = theta - h / 6 * (a + 2 * b + 2 * c + self._slope(theta - h * c))
        flowed = self.metric(theta)
        return [
            float(np.linalg.norm(self._descended(time, count) - flowed) / np.linalg.norm(flowed - self.begun))
            for count in steps
        ]

    def noise(self, size: int, draws: int, dt: float, seed: int) -> tuple[float, float]:
        """rms of what random batches of a size make of a step, less what all points do, over the latter; and the exact value.

        Drawn without repeats, a batch has the variance (1 - B/N) / B of what points contribute in its mean; batches are those
        of epochs, in which every point comes once.
        """
        whole, found = self.after(dt), [self.after(dt, batch) for batch in self._batches(size, draws, seed)]
        moved = np.linalg.norm(whole - self.begun)
        measured = np.sqrt(np.mean([np.linalg.norm(one - whole) ** 2 for one in found])) / moved
        each = self.contributions()
        variance = ((each - each.mean(0)) ** 2).sum() / (self.total - 1) * (1 - size / self.total) / size
        return float(measured), float(np.sqrt(variance) / np.linalg.norm(each.mean(0)))

    def mixing(self) -> float:
        """|Theta_(ij)(kl) with (ij) not (kl)| / |Theta|, Frobenius over all pairs of points; i <= j, k <= l."""
        blocks, entry = ntk(self.slopes, self.slopes), _entries(self.begun.shape[1])
        apart = entry[:, None] != entry
        return float(np.linalg.norm(blocks[apart]) / np.linalg.norm(blocks))

    def _descended(self, time: float, count: int) -> np.ndarray:
        theta = self.theta
        for _ in range(count):
            theta = theta - time / count * self._slope(theta)
        return self.metric(theta)

    def _slope(self, theta: np.ndarray, batch: np.ndarray | None = None) -> np.ndarray:
        rows = slice(None) if batch is None else batch
        columns = {name: column[rows] for name, column in self.columns.items()}
        count = len(columns["volume"])
        return np.asarray(objective.chunk(self.goal, theta, columns | {"weight": np.full(count, 1 / count)}))[:-1]

    def _batches(self, size: int, draws: int, seed: int) -> Iterator[np.ndarray]:
        each = self.total // size
        for draw in range(draws):
            order = streams.generator(seed, streams.ORDER, draw // each).permutation(self.total)
            yield order[draw % each * size :][:size]


def _entries(count: int) -> np.ndarray:
    """The matrix entry (i, j), i <= j, that each of d^2 reals is of, as a number: (d^2,)."""
    d = round(count**0.5)
    above = d + np.arange(d * (d - 1) // 2)
    return np.concatenate([np.arange(d), above, above])
