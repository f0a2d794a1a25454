"""A space of features that somebody may add, as text: one file."""

TORUS = '''
from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np

from mpiflow.kernels import jets
from mpiflow.kernels.features import Features
from mpiflow.geometry.polynomial import monomials
from mpiflow.kernels.sections import Sections
from mpiflow.settings.section import Section


@dataclass(frozen=True)
class Torus(Features):
    """|s_alpha|^2 / |z|^(2k): functions that no phase of a coordinate changes. With the first left out they are independent."""

    exponents: np.ndarray

    class Keys(Section):
        first: int = 1

    @classmethod
    def made(cls, surface, degree, draw):
        return cls(monomials(degree, surface.coordinates)[cls.keys.first :])

    @classmethod
    def count(cls, surface, degree):
        return comb(degree + surface.coordinates - 1, degree) - cls.keys.first

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
features = "mine.py:Torus"
degree = 4
refreeze = 2
[flow]
steps = 5
dt = 0.4
"""


def dropped(folder):
    """Write the space beside a run file that names it; returns the run file."""
    (folder / "mine.py").write_text(TORUS)
    (folder / "torus.toml").write_text(RUN)
    return folder / "torus.toml"
