"""A kind of network of a user's; and a network that is a potential answers all that a potential does."""

import numpy as np
import pytest
from dropping import begin, holds
from facts import telling
from surfaces import fermat

from mpiflow import config, sampling
from mpiflow.comm import Comm
from mpiflow.errors import InputError
from mpiflow.geometry import charts, curvature
from mpiflow.geometry.frames import frame
from mpiflow.methods.registry import NETWORKS
from mpiflow.network.flow import architecture
from mpiflow.network.objective import Objective
from mpiflow.network.predictor import predicted
from mpiflow.ranks.shards import Layout

CONFORMAL = """
import jax.numpy as jnp

from mpiflow.methods.network import Network


class Conformal(Network):
    def joined(self, reference, added):
        return reference * jnp.exp(jnp.trace(added))
"""
RUN = """
[points]
train = 150
test = 60
chart = "all"
[network]
kind = "mine.py:Conformal"
width = 16
batch = 50
kaehler = 0.01
[flow]
steps = 4
dt = 0.005
loss = "sigma"
"""


def test_a_dropped_kind_of_network_is_trained(tmp_path):
    (tmp_path / "mine.py").write_text(CONFORMAL)
    (tmp_path / "run.toml").write_text(RUN)
    begin(tmp_path / "run.toml")
    model = holds(tmp_path / "run.toml")
    assert model.history["history/loss"][-1] < model.history["history/loss"][0]
    z = model.train.points.z[:3]
    ratio = model.metric(z) / model.train.reference(model.surface)[np.argsort(model.train.layout.rows)][:3]
    np.testing.assert_allclose(ratio, np.broadcast_to(ratio[:, :1, :1], ratio.shape), rtol=1e-10)


def test_a_kind_without_a_metric_is_one_line(tmp_path):
    (tmp_path / "mine.py").write_text(
        "from mpiflow.methods.network import Network\n\n\nclass Other(Network):\n    pass\n"
    )
    (tmp_path / "run.toml").write_text(RUN)
    with telling(InputError, f'network.kind = "{tmp_path}/mine.py:Conformal"', "Other"):
        config.read(tmp_path / "run.toml")


WRONG = {
    "one side": ("reference @ (jnp.eye(3) + added)", "", "joined"),
    "a number": ("jnp.trace(added)", "", "joined"),
    "a seed beyond all": ("reference + added", "since = 2**64 - 1", "since = 18446744073709551615"),
    "half a seed": ("reference + added", "since = 2.5", "since = 2.5"),
    "one spread": ("reference + added", "tangent = (1.4,)", "tangent = (1.4,)"),
    "no spread": ("reference + added", "tangent = (0.0, 0.0)", "tangent = (0.0, 0.0)"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_kind_that_is_none_is_one_line_before_any_work(case, tmp_path):
    joined, more, fact = WRONG[case]
    text = CONFORMAL.replace("reference * jnp.exp(jnp.trace(added))", joined)
    (tmp_path / "mine.py").write_text(text.replace("(Network):\n", f"(Network):\n    {more}\n"))
    (tmp_path / "run.toml").write_text(RUN)
    with telling(InputError, f'network.kind = "{tmp_path}/mine.py:Conformal"', fact):
        config.read(tmp_path / "run.toml")


def _network(width=6):
    surface, kind = fermat(4), NETWORKS.find("potential")(width=width, depth=2, activation="gelu")
    goal = Objective(architecture(surface, kind), kind)
    theta = 0.3 * np.random.default_rng(1).normal(size=goal.architecture.size)
    return surface, predicted(surface, goal, theta, "all")


def test_the_jet_of_a_network_has_its_hessian():
    surface, predictor = _network()
    p = sampling.chunk(surface, 1, sampling.TEST, 0, None).map(lambda rows: rows[:6])
    there = frame(surface, p.z, p.chart)
    g, _ = curvature.riemann(there, predictor.jet(there, 2))
    layout = Layout(Comm(), np.zeros(6, np.int32), 1, [1.0])
    metric = predictor.metric(layout, p.z, p.chart)
    np.testing.assert_allclose(there.lower @ g @ there.lower.conj().transpose(0, 2, 1), metric, rtol=1e-10, atol=1e-12)


def test_the_ricci_tensor_of_a_network_is_that_of_differences():
    surface, predictor = _network()
    p = sampling.chunk(surface, 2, sampling.TEST, 0, None).map(lambda rows: rows[:3])
    found = predictor.ricci(p.z, p.chart)
    h = 1e-3

    def log_det(z):
        """log det g in the frame over w: log eta, up to what has no mixed derivative."""
        here = surface.described(z, p.chart)
        there = frame(surface, here.z, here.chart)
        g, _ = curvature.riemann(there, predictor.jet(there, 2))
        return np.log(np.linalg.det(g).real / here.weight)

    def moved(step):
        z = p.z + np.einsum("xia,xa->xi", charts.jacobian(surface, p.z, p.chart), step)
        j, rows = p.chart[:, 1].astype(int), np.arange(len(z))
        for _ in range(20):
            z[rows, j] -= surface.value(z) / surface.gradient(z)[rows, j]
        return log_det(z)

    # d_a dbar_a f = (f_xx + f_yy) / 4 along each coordinate.
    for a in range(3):
        total = -4 * log_det(p.z)
        for unit in (h, -h, 1j * h, -1j * h):
            step = np.zeros((3, 3), complex)
            step[:, a] = unit
            total = total + moved(step)
        np.testing.assert_allclose(found[:, a, a].real, -total / (4 * h**2), rtol=2e-4, atol=1e-4)
