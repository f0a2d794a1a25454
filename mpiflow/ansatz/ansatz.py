"""What an ansatz for a potential is: one real function of one real number, with its derivatives."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from mpiflow.settings.section import Named

#: Values of F at which a user's is tried, the degree, and how far its derivatives may be from differences.
_TRIED, _DEGREE, _OFF = np.linspace(-0.4, 2.0, 25), 8, 1e-3


class Ansatz(Named):
    """phi = f(F), F = sum_m c_m F_m of features of degree k, f(0) = 0 and f'(0) > 0: at c = 0 the metric is g_FS.

    linear: whether f is F itself: only then are second derivatives of the features all that a step needs, and the kernel of
    the metric stays what it is. powers: whether f of n k at (1 + F)^n - 1 is f of k at F: a start of a ladder is then exact.
    """

    linear: ClassVar[bool] = False
    powers: ClassVar[bool] = False

    def derivatives(self, t: np.ndarray, k: int, order: int) -> list[np.ndarray]:
        """f, f', ... up to an order of at most 4, at F = t: (N,) float64 each; not finite where f is not defined."""
        raise NotImplementedError(
            f"kernel.potential = {self.name}: its class has no derivatives(self, t, k, order); give it f, f', ... f''''"
        )

    def raised(self, t: np.ndarray, k: int, to: int) -> np.ndarray:
        """F of degree `to` where phi is that of F = t of degree k, or a start for it: (N,) to (N,)."""
        if not self.powers:
            return t
        # A root needs a positive number; a power of h does not.
        return (1 + t if to % k == 0 else np.maximum(1 + t, 0)) ** (to / k) - 1

    def tried(self, beside: dict) -> None:
        """Hold the derivatives against differences. Raises where they do not agree, or f is not as an ansatz must be."""
        step, found = 1e-5, self.derivatives(_TRIED, _DEGREE, 4)
        near = [self.derivatives(_TRIED + sign * step, _DEGREE, 4) for sign in (-1, 1)]
        for order in range(4):
            numeric = (near[1][order] - near[0][order]) / (2 * step)
            off = np.abs(numeric - found[order + 1]) / (1 + np.abs(numeric))
            if not off.max() < _OFF:
                raise ValueError(
                    f"derivative {order + 1} at F = {_TRIED[off.argmax()]:.3g} is {found[order + 1][off.argmax()]:.4g}, "
                    f"differences of derivative {order} say {numeric[off.argmax()]:.4g}"
                )
        f, slope = self.derivatives(np.zeros(1), _DEGREE, 1)
        if f[0] != 0 or not slope[0] > 0:
            raise ValueError(f"f(0) = {f[0]:g} and f'(0) = {slope[0]:g}: must be 0 and above 0, for c = 0 is g_FS")
