"""What a component kernel is: the keys of its table in the run file, a formula, and what engines and plans may ask of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
from pydantic import Field

from mpiflow.doors import trial
from mpiflow.settings.section import Everything, Kind

if TYPE_CHECKING:
    from mpiflow.kernels.profile import Profile


class Kernel(Kind):
    """K(x, x') of points of P^n: `name` and the fields of a subclass are the keys of [kernel], `tile` is its formula.

    That is all a kernel needs. Each answer below may be a better one: symmetric, K(x, x') = K(x', x), and at most the
    larger of K(x, x) and K(x', x'), so that one entry serves both; nearest, K is 1 at the source that is nearest and 0 at
    all others; sparse, what lies beyond its `reach` may be left out. A kernel with a `profile` also has

        pairs(x, y, floor=0)   K of paired points (N, n+1), as if no angle were below `floor`: (N,)
        floor(precision)       the angle below which tiles of that precision have no digits left of it; 0 for none
        diagonal(x)            K(x, x) of points (N, n+1): (N,), where it is symmetric
        at(angle)              K at Fubini-Study distances, where it is sparse

    and the NTK of a network `nngp(x, y, xp)`, as `tile`: the covariance of the values that the network begins with. One that
    has two derivatives, also where x = x', adds "ricci" to `answers`.
    """

    rescale: Annotated[float, Field(ge=-4, le=4)] = 0.0
    """p of h = (|Omega|^2 / det g_FS)^p, and h(x) K(x, x') h(x') in place of K."""

    last = frozenset({"rescale"})
    nearest: ClassVar[bool] = False
    sparse: ClassVar[bool] = False
    method = "components"
    answers = frozenset({"direction", "target", "solved"})
    unopened = {
        **{"method": "unopened", "lives": None, "answers": Everything(), "symmetric": True, "transforms": True},
        "reach": lambda self, tolerance: 0.0,
    }
    quadratic = True
    transforms = False
    # A step with "sum" is N times one with "mean": one of them is enough. A gradient never reaches a clip of 100.
    space = {"flow.dt": [0.003, 3.0], "flow.normalisation": ["mean", "row"], "flow.clip": [1.0, 100.0]}

    def tile(self, x, y, xp=np):
        """K of all pairs of patch-scaled points, arrays of the library xp: (N, n+1), (M, n+1) complex to (N, M) float64."""
        raise NotImplementedError(
            f"kernel.name = {self.name}: its class has no tile(self, x, y, xp=np); give it the formula"
        )

    def profile(self, n: int, precision: str) -> Profile | None:
        """The kernel as vector registers compute it for points of P^n; None where it is known on arrays alone."""
        return None

    @property
    def copies(self) -> int:
        """Tiles of a pair of points: 1, or one for each component, (copies, N, M), where no two components share a kernel."""
        return 1

    @property
    def halves(self) -> bool:
        """Whether K is a sum over units, which has `gathered(y, v, xp)`, v in the units, and `spread(x, units, xp)`."""
        return False

    @property
    def on_arrays(self) -> bool:
        """Whether no register knows the kernel, so that its tiles are made of whole arrays."""
        return not self.nearest and self.profile(2, "float64") is None

    def tried(self, beside: dict) -> None:
        """Try the formula on a few points of P^n. Raises where it gives no kernel."""
        z = trial.points(beside)
        found, reach = np.asarray(self.tile(z[:5], z[3:], np)), self.reach(1e-3)
        if found.shape != (5, 9) or found.dtype.kind != "f":
            raise ValueError(f"tile of 5 and 9 points is {found.dtype}{list(found.shape)}; it must be float64[5, 9]")
        if not np.isfinite(found).all():
            raise ValueError(f"tile is {found[~np.isfinite(found)][0]} at some pair of points; it must be finite")
        if reach is not None and not 0 <= reach < np.inf:
            raise ValueError(
                f"reach(1e-3) = {reach}: it must be a distance, or None where the kernel is felt everywhere"
            )
        if (self.symmetric or self.sparse) and self.on_arrays:
            raise ValueError("symmetric and sparse kernels need a profile; leave both out")
