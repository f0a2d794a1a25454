"""What a mode is: which engine it builds for a kernel, what that holds and takes, and when `auto` means it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mpiflow.doors import trial
from mpiflow.kernels.kernel import Kernel
from mpiflow.settings.section import Named

if TYPE_CHECKING:
    from mpiflow.backend import Device


@dataclass(frozen=True)
class Question:
    """What `auto` decides by, the same on all ranks.

    bytes: of all entries between targets and sources of all ranks. budget: of bytes that may be kept. kept: share of pairs
    within the kernel's cut-off, judged where it is asked for. square: whether targets are all of the sources, on a CPU, so that
    a pair need be made but once.
    """

    kernel: Kernel
    bytes: int
    budget: int
    kept: Callable[[], float]
    square: bool = False


class Mode(Named):
    """How kernel sums are made: `build` and `holds` are all that it needs; its fields are keys of the table [engine.mode].

    place: where in the row `auto` asks it, None for never. once: whether entries are made at the start. whole: whether all of
    them are kept, within engine.memory. pairs: whether one serves both points of a pair of train points. on_host: whether it
    works on the CPU alone.
    """

    place: ClassVar[int | None] = None
    once: ClassVar[bool] = False
    whole: ClassVar[bool] = False
    pairs: ClassVar[bool] = False
    on_host: ClassVar[bool] = False

    def build(self, kernel: Kernel, targets: np.ndarray, sources: np.ndarray, precision: str, device: Device) -> Any:
        """What has `apply(v)`, (M, c) to (N, c) float64 where v lies, and the `bytes` that it holds between steps.

        targets: (N, n+1), sources: (M, n+1) complex128, patch-scaled. A row's bits may not depend on the other targets: ranks
        have them.
        """
        raise NotImplementedError(
            f"engine.mode = {self.name}: its class has no build(self, kernel, targets, sources, precision, device)"
        )

    def holds(self, kernel: Kernel, n: int, shape: tuple[int, int], precision: str, kept: float = 1.0) -> int:
        """About those bytes for so many targets and sources in P^n; kept: share of pairs within the kernel's cut-off."""
        raise NotImplementedError(
            f"engine.mode = {self.name}: its class has no holds(self, kernel, n, shape, precision, kept)"
        )

    def seconds(self, machine, kept: float) -> float:
        """Of one kernel entry in a step, on a `plan.machine.Machine`."""
        return machine.stored if self.once else machine.entry

    def complaint(self, kernel: Kernel) -> str:
        """Why it cannot apply a kernel; "" where it can."""
        return ""

    def meant(self, question: Question) -> bool:
        """Whether `auto` means it, once those of lower place are not meant."""
        return False

    def chosen(self, question: Question) -> Mode:
        """What it comes to."""
        return self

    @property
    def for_once(self) -> Mode:
        """What gives the same bits on a CPU without keeping entries."""
        return self

    @property
    def elsewhere(self) -> Mode:
        """What it is at other targets than the train points."""
        return self

    def tried(self, beside: dict) -> None:
        """Apply a kernel to a few points of P^n. Raises where that gives no sums."""
        from mpiflow.backend import HOST

        z, v = trial.points(beside), np.linspace(-1, 1, 36).reshape(9, 4)
        built = self.build(Overlap(), z[:5], z[3:], "float64", HOST)
        u = np.asarray(built.apply(v))
        if u.shape != (5, 4) or u.dtype != np.float64 or not np.isfinite(u).all():
            raise ValueError(
                f"apply of v (9, 4) at 5 targets is {u.dtype}{list(u.shape)}; it must be (5, 4) finite float64"
            )
        for what, found in (("bytes", built.bytes), ("holds", self.holds(Overlap(), 4, (5, 9), "float64", 1.0))):
            if not isinstance(found, int | np.integer):
                raise ValueError(f"{what} is {found!r}; it must be a whole number of bytes")


class Overlap(Kernel):
    """|<x, y>|^2 / |x|^2 |y|^2, known on arrays alone: what users' own modes are tried with."""

    def tile(self, x, y, xp=np):
        """(N, n+1), (M, n+1) to (N, M)."""
        square = (abs(x) ** 2).sum(1)[:, None] * (abs(y) ** 2).sum(1)[None, :]
        return xp.abs(x @ y.conj().T) ** 2 / square
