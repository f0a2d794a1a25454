"""A space of features that somebody may add, as text: one file in the room of kernels."""

TORUS = '''
from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np

from mpiflow.kernels import jets
from mpiflow.kernels.features import Features
from mpiflow.kernels.sections import Sections, monomials


@dataclass(frozen=True)
class Torus(Features):
    """|s_alpha|^2 / |z|^(2k): functions that no phase of a coordinate changes. With the first left out they are independent."""

    exponents: np.ndarray

    name = "torus"

    @classmethod
    def made(cls, surface, degree, draw):
        return cls(monomials(degree, surface.degree)[1:])

    @classmethod
    def count(cls, surface, degree):
        return comb(degree + surface.degree - 1, degree) - 1

    def __len__(self):
        return len(self.exponents)

    def values(self, z):
        return np.abs(Sections(self.exponents).ambient(z / np.linalg.norm(z, axis=1)[:, None], 0)[:, 0].T) ** 2

    def jets(self, frame, order):
        s = Sections(self.exponents).ambient(frame.z, order)
        ambient = np.einsum("xmp,xnp->xpmn", s, s.conj())
        return np.ascontiguousarray(jets.lower(jets.along(frame, ambient, order)).transpose(1, 2, 0))
'''

RUN = """
[run]
name = "torus"
[manifold]
ambient = 3
[points]
train = 1100
test = 300
chart = "all"
[kernel]
name = "kaehler"
features = "torus"
degree = 4
refreeze = 2
[flow]
steps = 5
dt = 0.4
"""

#: Python runs it at its start, so that a folder counts as part of the room of kernels.
START = """
import mpiflow.kernels

mpiflow.kernels.__path__.append({folder!r})
"""


def dropped(folder):
    """Write the space, a start of Python that finds it, and a run file; returns the run file and the environment."""
    room, start, path = folder / "room", folder / "start", folder / "torus.toml"
    for place in (room, start):
        place.mkdir()
    (room / "torus.py").write_text(TORUS)
    (start / "sitecustomize.py").write_text(START.format(folder=str(room)))
    path.write_text(RUN)
    return path, {"PYTHONPATH": str(start)}
