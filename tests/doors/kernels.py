"""Kernels that a user may write, as text: in files of their own."""

LAPLACE = '''
import numpy as np

from mpiflow.kernels import Kernel, distances


class Laplace(Kernel):
    """exp(-d / width), d the Fubini-Study distance."""

    width: float = 0.4

    def tile(self, x, y, xp=np):
        return xp.exp(-distances(x, y, xp) / self.width)
'''

REACH = (
    LAPLACE
    + """
    def reach(self, tolerance):
        return self.width * float(np.log(1 / min(tolerance, 1)))
"""
)

#: The NTK of one hidden layer of erf units, by arcsin (Williams 1997): what the last layer learns, and the first.
ERF = """
from __future__ import annotations

import numpy as np

from mpiflow.kernels import Kernel


class Erf(Kernel):
    w_std: float = 1.5

    def tile(self, x, y, xp=np):
        size = 2 * x.shape[1]
        cross = self.w_std**2 * (x.real @ y.real.T + x.imag @ y.imag.T) / size
        left, right = (1 + 2 * self.w_std**2 * (xp.abs(z) ** 2).sum(1) / size for z in (x, y))
        product = left[:, None] * right[None, :]
        nngp = 2 / np.pi * xp.arcsin(2 * cross / xp.sqrt(product))
        slope = 4 / np.pi / xp.sqrt(product - 4 * cross**2)
        return self.w_std**2 * (nngp + cross * slope)
"""

RUN = """
[run]
name = "own"
[points]
train = 330
test = 100
[clusters]
count = 3
batch = 130
[kernel]
name = "{name}"
[flow]
steps = 6
dt = {dt}
normalisation = "row"
coupling = "{coupling}"
[output]
keep = 20
"""


def written(folder, text, called, coupling="all", dt=0.03):
    """A run file beside the file of its kernel; returns its path."""
    (folder / "mine.py").write_text(text)
    path = folder / "run.toml"
    path.write_text(RUN.format(name=f"mine.py:{called}", coupling=coupling, dt=dt))
    return path
