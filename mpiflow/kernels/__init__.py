"""What a kernel is: mathematics only. How it is applied to 1e5 points is the engine's business."""

from mpiflow.kernels.delta import Delta
from mpiflow.kernels.gaussian import Gaussian
from mpiflow.kernels.relu_ntk import ReluNTK

KERNELS = {kernel.name: kernel for kernel in (Gaussian, Delta, ReluNTK)}

__all__ = ["KERNELS", "Delta", "Gaussian", "ReluNTK"]
