"""Which kernels there are: every class of this room that has a name."""

from mpiflow import kernels
from mpiflow.kernels.kernel import Kernel
from mpiflow.settings.named import Named

_ROOM = Named(kernels, Kernel)
find, known = _ROOM.find, _ROOM.known
