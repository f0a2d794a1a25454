"""Steps of finite networks as metric flows: order in dt, noise of batches, components that mix (HR 2.7, 2.8)."""

import numpy as np
import pytest
from surfaces import fermat

import mpiflow as library
from mpiflow import sampling
from mpiflow.functionals.monge_ampere import MongeAmpere
from mpiflow.methods.registry import NETWORKS
from mpiflow.network.flow import architecture
from mpiflow.network.objective import Objective
from mpiflow.network.step import Step

KINDS = ("multiplicative", "additive", "potential", "independent")


def step(kind, width=6, count=20, seed=3, share=0.5):
    surface = fermat(3)
    p = sampling.chunk(surface, 3, sampling.TRAIN, 0, (0, 1)).map(lambda rows: rows[:count])
    kind = NETWORKS.find(kind)(width=width, depth=1)
    goal = Objective(architecture(surface, kind), kind, MongeAmpere())
    kappa = (1 / surface.form(p)).mean()
    columns = goal.kind.columns(surface, p.z, p.chart) | {"volume": 1 / (kappa * goal.kind.density(surface, p))}
    columns.pop("lower", None)
    return Step(goal, share * goal.architecture.initial(seed, silent=False), columns)


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_is_the_flow_up_to_the_order_of_dt(kind):
    here = step(kind)
    lengths = [0.01 / 2**k for k in range(4)]
    apart = here.departures(lengths)
    assert apart[-1] < 0.1 and np.polyfit(np.log(lengths), np.log(apart), 1)[0] == pytest.approx(1, abs=0.1)


def test_many_steps_end_where_the_flow_does():
    apart = step("additive").ends(0.05, [8, 16])
    assert apart[1] < 0.1 and apart[0] / apart[1] == pytest.approx(2, rel=0.15)


def test_random_batches_have_the_noise_of_means_without_repeats():
    here = step("multiplicative")
    # Of an epoch of single points nothing is left to chance.
    for size, draws, allowed in ((1, 20, 1e-3), (5, 100, 0.1)):
        measured, exact = here.noise(size, draws, 1e-5, 4)
        assert measured == pytest.approx(exact, rel=allowed) and exact > 0.05
    assert here.noise(20, 2, 1e-5, 4) == pytest.approx((0, 0), abs=1e-10)


def test_components_of_one_network_mix_and_those_of_their_own_do_not():
    mixing = {kind: step(kind, share=1.0).mixing() for kind in KINDS}
    assert mixing["independent"] == 0 and min(mixing[kind] for kind in KINDS[:3]) > 0.01
    assert step("additive", width=256, share=1.0).mixing() < 0.6 * mixing["additive"]


RUN = {
    "manifold": {"ambient": 3},
    "points": {"train": 100, "test": 50},
    "network": {"kind": "independent", "width": 8, "depth": 1, "batch": 100},
    "flow": {"dt": 0.03, "steps": 4, "loss": "log", "search": "sgd"},
}


def test_a_run_by_plain_descent_remembers_nothing_and_is_resumed_bit_for_bit(tmp_path):
    whole = library.run(RUN, tmp_path / "whole")
    for steps in (2, 4):
        parts = library.run(RUN | {"flow": RUN["flow"] | {"steps": steps}}, tmp_path / "parts")
    assert (whole.metric(whole.test.points.z) == parts.metric(whole.test.points.z)).all()
    losses = whole.history["history/loss"]
    assert (np.diff(losses) < 0).all()
    assert whole.attributes["engine"] == "independent network of 324 parameters"


def test_one_epoch_of_one_batch_is_one_step_against_the_slope():
    """The first step from g_FS moves the last layer alone, and each real of g along its own gradient."""
    table = RUN | {"flow": RUN["flow"] | {"steps": 1, "dt": 1e-3}}
    small = library.run(table | {"flow": table["flow"] | {"dt": 1e-6}})
    large = library.run(table)
    z = large.test.points.z
    begun = large.surface.reference(z, large.test.points.chart)
    ratio = np.linalg.norm(large.metric(z) - begun) / np.linalg.norm(small.metric(z) - begun)
    assert ratio == pytest.approx(1000, rel=1e-3)
