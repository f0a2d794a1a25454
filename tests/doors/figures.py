"""A figure in one file, as text: how far apart points of X lie."""

SPREAD = """
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mpiflow.comm import Comm
from mpiflow.geometry.families.fermat import Fermat
from mpiflow.geometry.projective import distances
from mpiflow.paper.claims import Claim
from mpiflow.paper.picture import finished, leave, picture
from mpiflow.sampling import sample
from mpiflow.streams import TRAIN

TITLE = "how far apart points of the quintic lie"
SIZES = {"laptop": 200, "node": 500}
LEAST = 20


@dataclass(frozen=True)
class Row:
    points: int
    mean: float


def run(comm, out, size, say, seed=1):
    z = sample(Comm(), Fermat().domain(), size, seed, TRAIN)[1].z
    found = distances(z, z)[np.triu_indices(size, 1)]
    rows = [Row(size, float(found.mean()))]
    say(f"mean distance of {size} points: {rows[0].mean:.4f}")
    with comm.lead() as mine:
        if mine:
            leave(_draw, out / "{name}.png", found)
    return rows


def claims(rows):
    return [Claim("points lie about this far apart", "1.1", rows[0].mean, 1.0, 1.2)]


def _draw(path, found):
    with picture(path) as axes:
        axes.hist(found, bins=40, label="pairs")
        finished(axes, xlabel="Fubini-Study distance", ylabel="pairs")
"""


def written(folder, name):
    """The file of the figure, under a name of its own; returns its path."""
    path = folder / f"{name.replace('-', '_')}.py"
    path.write_text(SPREAD.replace("{name}", name))
    return path
