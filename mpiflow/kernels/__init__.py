"""What a kernel is: mathematics only. How it is applied to 1e5 points is the engine's business."""

from mpiflow.kernels.kernel import Kernel
from mpiflow.kernels.near import distances
from mpiflow.settings.section import Positive

__all__ = ["Kernel", "Positive", "distances"]
