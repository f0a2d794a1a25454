"""What stands beside the Gaussian of a flow on a torus, and the measure that it is summed by (HR 2.27, 2.28)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mpiflow import streams
from mpiflow.grids.fields.field import Field
from mpiflow.grids.space import Space

#: Steps of a power iteration, and what is kept of the limit that it finds.
_ITERATIONS, _KEPT = 20, 0.9
#: Transforms of a smoothing over those of a velocity.
_SMOOTHING = 0.27


@dataclass(frozen=True)
class Weighted:
    """A field's local velocity v under du/dt = int alpha(x, x') N_s(x, x') v(x') r(x') dx', with the verbs of a field.

    alpha(x, x') = 1 + alpha cos x_1 cos x_1', positive as a kernel, in each component alike. r = 1 + density cos x_2; or of
    `batch` grid points, drawn by a seed, each with its share of the volume: what they know of the continuum. Torus alone.
    """

    field: Field
    alpha: float
    density: float
    batch: int | None
    seed: int

    @property
    def effort(self) -> tuple[float, float]:
        """That of the field, a smoothing or two, and r."""
        work, fields = self.field.effort
        return work + _SMOOTHING * (3 if self.alpha else 1), fields + 1

    def measure(self, space: Space) -> np.ndarray:
        """r on the own rows, of mean 1 over the torus."""
        x = space.spectral.coordinates()
        if self.batch is None:
            return 1 + self.density * np.cos(x[1]) * np.ones_like(sum(x))
        total = int(np.prod(space.shape))
        drawn = streams.batch(self.seed).integers(0, total, self.batch)
        return np.bincount(drawn, minlength=total).reshape(space.shape)[space.rows] * (total / self.batch)

    def spread(self, space: Space, field: np.ndarray, width: float) -> np.ndarray:
        """The integral of one component; collective on slabs."""
        weighted = self.measure(space) * field
        found = space.smoothed(weighted, width)
        if not self.alpha:
            return found
        f = np.cos(space.spectral.coordinates()[0])
        return found + self.alpha * space.smoothed(f * space.smoothed(f * weighted, width), 0.0)

    def velocity(self, space: Space, u: np.ndarray, width: float) -> np.ndarray:
        """du/dt at u; collective on slabs."""
        return np.stack([self.spread(space, part, width) for part in self.field.velocity(space, u, 0.0)])

    def step_limit(self, space: Space, u: np.ndarray, width: float) -> float:
        """The field's, over how much faster than N_s alone this moves a wave, by power iteration; collective on slabs."""
        return _KEPT * self.field.step_limit(space, u, width) / max(self._rates(space, width))

    def _rates(self, space: Space, width: float) -> list[float]:
        """Largest eigenvalues of k^2 and of 1 times this operator, over those of N_s."""
        spectral, found = space.spectral, []
        for power, largest in ((spectral.square, spectral.rate(width)), (1.0, 1.0)):
            v, rate = streams.same().standard_normal(space.shape)[space.rows], 0.0
            for _ in range(_ITERATIONS):
                moved = spectral.backward(power * spectral.forward(self.spread(space, v, width)))
                before, after = spectral.integral(v * v, moved * moved)
                rate, v = (after / before) ** 0.5, moved / after**0.5
            found.append(rate / largest)
        return found

    def check(self, space: Space, u: np.ndarray, width: float, time: float) -> None:
        """Raises ValueError for what is no torus, has two measures, or is summed over points that nothing feels."""
        if not space.sliced:
            raise ValueError(
                f'kernel.alpha, kernel.density, kernel.batch: are of a torus, and manifold.family = "{space.name}" is none '
                'of all metrics; remove them, or take "flat-torus"'
            )
        if self.batch is not None and (self.density or not width):
            raise ValueError(
                f"kernel.batch = {self.batch}: its points are the density, and without a kernel.width nothing feels them; "
                "give a width, and leave out kernel.density"
            )
        if getattr(self.field, "gauge", "") == "perelman":
            raise ValueError(
                'kernel.field.gauge = "perelman": its safe time is known under the Gaussian alone; leave out kernel.alpha, '
                "kernel.density and kernel.batch, or take another gauge"
            )
        self.field.check(space, u, width, time)
