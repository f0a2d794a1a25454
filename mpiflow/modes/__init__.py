"""How u = K v is computed: a mode is one file here, and engine.mode names it; what computes is in `engine/`."""

from mpiflow.doors.door import Door
from mpiflow.modes.mode import Mode

MODES = Door("engine.mode", "mpiflow.modes.mode:Mode", "mpiflow.modes")

__all__ = ["MODES", "Mode"]
