"""Entries that are made anew in every step: memory for the points alone."""

from __future__ import annotations

from mpiflow.backend import HOST
from mpiflow.modes.mode import Mode, Question


class Streamed(Mode):
    """engine.mode = "streamed": entries made anew, tile by tile."""

    name = "streamed"
    place = 4

    def engines(self, kernel):
        """Of the kernel: on the host, and on a device."""
        from mpiflow.engine.device import DeviceStreamed
        from mpiflow.engine.formula import Formula
        from mpiflow.engine.halves import Halves
        from mpiflow.engine.streamed import Streamed

        if kernel.on_arrays:
            return (Halves, Halves) if kernel.halves else (Formula, Formula)
        return Streamed, DeviceStreamed

    def build(self, kernel, targets, sources, precision, device):
        """In registers, on arrays, or on a device."""
        here, there = self.engines(kernel)
        where = () if device is HOST and not kernel.on_arrays else (device,)
        return (here if device is HOST else there)(kernel, targets, sources, precision, *where)

    def holds(self, kernel, n, shape, precision, kept=1.0) -> int:
        """The same wherever it is."""
        return self.engines(kernel)[0].holds(kernel, n, shape, precision, kept)

    def complaint(self, kernel) -> str:
        """A search has no entries."""
        return f'the {kernel.name} kernel is a search, not a tile; use "neighbours" or "auto"' if kernel.nearest else ""

    def meant(self, question: Question) -> bool:
        """Where nothing else is."""
        return True
