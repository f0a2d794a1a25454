"""What a functional is: the mean over X, by its measure Omega, of a function l of eta."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from mpiflow.errors import InputError
from mpiflow.settings.section import Named

#: Values of eta at which a user's is tried, and how far its slope may be from differences there.
_TRIED, _OFF = np.linspace(0.3, 3.0, 28), 1e-3
#: Where no l overflows: there a value that is not finite is the formula's, and no long step's.
_LOW, _HIGH = 1e-6, 1e6


class Functional(Named):
    """L[g] = <l(eta)>, the w-mean; `value` and `slope` are l and l', of arrays (N,) to (N,).

    asks: what the flow must know beside eta; "reference", the eta of g_FS, where l differs from point to point: then `at` of
    them, (N,), gives what has `value` and `slope` there; "target", a metric: then l and dl/dg are of g itself, less the
    `target`; "ricci", the Ricci form of the predicted metric, which moves g in place of dl/dg, and l is of g^-1 Ric (N, d, d);
    "solved" beside it, that the kernel be drawn to Ric for its `time`, and `cure` is told where it cannot. wants: the keys of
    flows that do, told to who has others. linear: whether dl/dg is so in g, with slope 1.
    """

    asks: ClassVar[frozenset[str]] = frozenset()
    wants: ClassVar[str] = 'kernel.name = "kaehler"'
    linear: ClassVar[bool] = False
    cure: ClassVar[str] = "take another loss"

    @property
    def asker(self) -> str:
        """Its place in the run file."""
        return f'flow.loss = "{self.name}"'

    def value(self, eta, xp=np):
        """l(eta), arrays of the library xp: networks take theirs from JAX, which derives the slope by itself."""
        raise NotImplementedError(
            f"flow.loss = {self.name}: its class has no value(self, eta, xp=np); give it the formula"
        )

    def slope(self, eta: np.ndarray) -> np.ndarray:
        """l'(eta)."""
        raise NotImplementedError(f"flow.loss = {self.name}: its class has no slope(self, eta); give it l'(eta)")

    def tried(self, beside: dict) -> None:
        """Hold value and slope against each other. Raises where they do not agree or are not finite."""
        value, slope = np.asarray(self.value(_TRIED)), np.asarray(self.slope(_TRIED))
        for name, found in (("value", value), ("slope", slope)):
            if found.shape != _TRIED.shape or found.dtype.kind != "f":
                raise ValueError(f"{name} of 28 etas is {found.dtype}{list(found.shape)}; it must be 28 reals")
            if not np.isfinite(found).all():
                at = ~np.isfinite(found)
                raise ValueError(f"{name}({_TRIED[at][0]:g}) = {found[at][0]}; it must be finite")
        step = 1e-6
        numeric = (self.value(_TRIED + step) - self.value(_TRIED - step)) / (2 * step)
        off = np.abs(numeric - slope) / (1 + np.abs(slope))
        if off.max() > _OFF:
            eta = _TRIED[off.argmax()]
            raise ValueError(
                f"slope({eta:.3g}) = {slope[off.argmax()]:.4g}, differences of value say {numeric[off.argmax()]:.4g}"
            )


def of_etas(loss: Functional, verb: str, eta: np.ndarray) -> np.ndarray:
    """`value` or `slope` of a loss at the etas of points: (N,) to (N,).

    Raises InputError for what is none: a user's was tried on a few alone.
    """
    found = getattr(loss, verb)(eta)
    if not isinstance(found, np.ndarray) or found.shape != eta.shape or found.dtype.kind != "f":
        kind = f"{found.dtype}{list(found.shape)}" if isinstance(found, np.ndarray) else f"a {type(found).__name__}"
        raise InputError(f"{loss.asker}: {verb} of {len(eta)} etas is {kind}; it must be float64[{len(eta)}]")
    if not np.isfinite(found).all():
        bad = ~np.isfinite(found) & (eta > _LOW) & (eta < _HIGH)
        if bad.any():
            raise InputError(f"{loss.asker}: {verb}({eta[bad][0]:.4g}) is {found[bad][0]}; it must be finite")
    return found
