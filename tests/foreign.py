"""A device that is none, of the array API standard: numpy cannot read its arrays, as it cannot read a GPU's."""

import numpy as np
import pytest

from mpiflow import backend


def device():
    """Skips the test where array-api-strict is not installed."""
    strict = pytest.importorskip("array_api_strict")
    far, near = strict.Device("device1"), strict.Device("CPU_DEVICE")
    return backend.Device(
        strict, lambda a: strict.asarray(a, device=far), lambda a: np.asarray(a.to_device(near)).copy(), number=3
    )
