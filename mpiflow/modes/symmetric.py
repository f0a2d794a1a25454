"""Each pair of train points once: its entry serves both."""

from __future__ import annotations

from mpiflow.modes.mode import Question
from mpiflow.modes.streamed import Streamed


class Symmetric(Streamed):
    """engine.mode = "symmetric": entries made anew, each for both points of a pair; streamed to all other targets."""

    name = "symmetric"
    place = 3
    pairs = True

    def holds(self, kernel, n, shape, precision, kept=1.0) -> int:
        """Of the share of pairs of a rank."""
        from mpiflow.engine.symmetric import Symmetric

        return (super() if kernel.on_arrays else Symmetric).holds(kernel, n, shape, precision, kept)

    def seconds(self, machine, kept: float) -> float:
        """Computed for both its halves."""
        return machine.paired

    def meant(self, question: Question) -> bool:
        """Where all train points are coupled."""
        return question.square and question.kernel.symmetric

    @property
    def elsewhere(self) -> Streamed:
        """Streamed."""
        return Streamed()
