"""Entries that are kept: two to three times faster a step than making them anew."""

from __future__ import annotations

from mpiflow.modes.mode import Question
from mpiflow.modes.streamed import Streamed


class Resident(Streamed):
    """engine.mode = "resident": entries made once and kept."""

    name = "resident"
    place = 2
    once = whole = True

    def engines(self, kernel):
        """Of the kernel: on the host, and on a device."""
        from mpiflow.engine.device import DeviceResident
        from mpiflow.engine.formula import KeptFormula
        from mpiflow.engine.resident import Resident

        return (KeptFormula, KeptFormula) if kernel.on_arrays else (Resident, DeviceResident)

    def meant(self, question: Question) -> bool:
        """Where they fit."""
        return question.bytes <= question.budget

    @property
    def for_once(self) -> Streamed:
        """The same sums, streamed."""
        return Streamed()
