"""The same step of a flow computed in two charts: what does not depend on them is a tensor (HR section 2.2)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mpiflow.comm import Comm
from mpiflow.config import Config, check
from mpiflow.dataset import PointSet
from mpiflow.geometry.domain import Domain, Points
from mpiflow.geometry.kaehler import orthonormal_frame
from mpiflow.job.flowing import Flowing
from mpiflow.ranks.shards import Layout

#: Two charts with the same coordinate scaled to one, so that kernels and networks see the same numbers in both.
CHARTS = (0, 1), (0, 2)
#: |Omega|^2 in the second chart over that in the first, above which a point is left out: there the second is a bad one.
_BAD = 4.0
#: What is flowed: from g_FS, by short steps.
_LOCAL = {"kernel": {"name": "delta"}, "flow": {"normalisation": "sum"}}
_RELU = {"kernel": {"name": "relu"}}
_NETWORK = {"width": 16, "depth": 1, "batch": 10**6}
_NATURAL = {"natural_gradient": True}
FLOWS = {
    "ReLU NTK": _RELU,
    "ReLU NTK, natural gradient": _RELU | {"flow": _NATURAL},
    "local": _LOCAL,
    "local, natural gradient": _LOCAL | {"flow": _LOCAL["flow"] | _NATURAL},
    "network, multiplicative": {"network": _NETWORK | {"kind": "multiplicative"}},
    "network, additive": {"network": _NETWORK | {"kind": "additive"}},
    "network, potential": {"network": _NETWORK | {"kind": "potential"}},
    "Kaehler kernel": {"kernel": {"name": "kaehler", "degree": 4}},
}
#: Those that are tensors.
TENSORS = ("local, natural gradient", "network, potential", "Kaehler kernel")


def difference(name: str, size: int, seed: int) -> float:
    """|u - u'| / |u|, u what a step adds to the metric, u' the same from the other chart, on one rank.

    size: of points, of which those that are good in both charts are taken. Norms are rms over points, in frames with g_FS = 1.
    """
    table = {"run": {"seed": seed}, "points": {"train": size, "test": 10}} | FLOWS[name]
    table["flow"] = {"dt": 1e-3, "loss": "log", "steps": 1} | FLOWS[name].get("flow", {})
    if "network" in table:
        table["flow"]["search"] = "sgd"
    begun = Flowing.begun(Comm(), check(table, "two charts"))
    surface, points = begun.surface, begun.train.points
    moved = _in(surface, points)
    good = moved.omega2 < _BAD * points.omega2
    p, q = (each.map(lambda rows: rows[good]) for each in (points, moved))
    other = check(table | {"points": table["points"] | {"chart": CHARTS[1]}}, "two charts")
    u, v = _added(begun, begun.config, p), _added(begun, other, q)
    back = surface.transition(q.z, q.chart, p.chart)
    carried = back.transpose(0, 2, 1) @ v @ back.conj()
    frame = orthonormal_frame(surface.reference(p.z, p.chart))
    apart, whole = (np.linalg.norm(frame.transpose(0, 2, 1) @ one @ frame.conj()) for one in (carried - u, u))
    return float(apart / whole)


def _in(surface: Domain, points: Points) -> Points:
    """The same points in the second chart."""
    chart = np.broadcast_to(np.array(CHARTS[1], np.int8), points.chart.shape)
    z = surface.in_chart(points.z, chart)
    return replace(points, z=z, chart=chart, omega2=surface.omega2(z, chart))


def _added(begun: Flowing, config: Config, points: Points) -> np.ndarray:
    """What one step on points adds to g_FS there: (N, d, d)."""
    layout = Layout(Comm(), np.zeros(len(points), np.int32), 1, [1.0])
    train = PointSet(layout, points, np.full(len(points), -1, np.int32))
    made = Flowing(begun.comm, config, begun.surface, train, begun.test, begun.exchanged, {}).finish()
    return made.predictor().metric(layout, points.z, points.chart) - train.reference(begun.surface)
