"""What a run is best computed by."""

from __future__ import annotations

from mpiflow.modes import MODES
from mpiflow.modes.mode import Mode, Question


class Auto(Mode):
    """engine.mode = "auto": the first that suits kernel, size and memory."""

    name = "auto"

    def chosen(self, question: Question) -> Mode:
        """The first of ours, by their places, that is meant."""
        row = sorted((kind for kind in MODES.known().values() if kind.place is not None), key=lambda kind: kind.place)
        return next(mode for mode in (kind() for kind in row) if mode.meant(question))
