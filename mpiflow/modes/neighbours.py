"""Near pairs alone, looked up on the host."""

from __future__ import annotations

from mpiflow.modes.mode import Mode, Question

#: A cut-off pays while it keeps fewer pairs than this; beyond, its lists outgrow memory.
KEPT = 0.05


class Neighbours(Mode):
    """engine.mode = "neighbours": near pairs alone, found once, on the CPU."""

    name = "neighbours"
    place = 1
    once = on_host = True

    def build(self, kernel, targets, sources, precision, device):
        """The nearest source, or those within a cut-off."""
        return self._engine(kernel)(kernel, targets, sources, precision)

    def holds(self, kernel, n, shape, precision, kept=1.0) -> int:
        """Entries that are kept."""
        return self._engine(kernel).holds(kernel, n, shape, precision, kept)

    def seconds(self, machine, kept: float) -> float:
        """Read out of order."""
        return 4 * machine.stored * kept

    def complaint(self, kernel) -> str:
        """Nothing is far enough to be left out."""
        from mpiflow.engine.neighbours import felt_everywhere

        if kernel.nearest or (kernel.sparse and not felt_everywhere(kernel)):
            return ""
        return f'the {kernel.name} kernel is felt everywhere; use "streamed" or "auto"'

    def meant(self, question: Question) -> bool:
        """Where few pairs are kept."""
        return question.kernel.nearest or (question.kernel.sparse and question.kept() < KEPT)

    def _engine(self, kernel) -> type:
        from mpiflow.engine.neighbours import CutOff, Nearest

        return Nearest if kernel.nearest else CutOff
