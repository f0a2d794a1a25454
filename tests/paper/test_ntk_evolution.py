"""The NTK of a network in training leaves that of its beginning by more than chance; that of a potential by a known law."""

import numpy as np
import pytest

import mpiflow
from mpiflow import hermitian
from mpiflow.ansatz.composed import Composed
from mpiflow.comm import Comm
from mpiflow.flows.potential_predictor import KaehlerPredictor
from mpiflow.geometry.families.fermat import Fermat
from mpiflow.methods.potentials import ANSAETZE, features
from mpiflow.paper import ntk_evolution
from mpiflow.paper.claims import verdict
from mpiflow.paper.potential_ntk import jacobian
from mpiflow.ranks.shards import Layout


def test_the_ntk_moves_further_than_chance_and_twice_to_the_same_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr(ntk_evolution, "EPOCHS", 4)
    monkeypatch.setattr(ntk_evolution, "FROZEN", 3)
    monkeypatch.setattr(ntk_evolution, "DEGREES", (4,))
    lines = []
    rows = ntk_evolution.run(Comm(), tmp_path, 2000, lines.append)
    trained = [row for row in rows if row.model == "network"]
    assert [row.epoch for row in trained] == [0] * 6 + list(range(1, 5))
    for name in ("real", "singular", "gram"):
        last, mean, spread = ntk_evolution.significance(rows, "network", name, "networks")
        assert last > mean + 5 * spread
    assert [verdict([claim]).agrees for claim in ntk_evolution.claims(rows)] == [True] * 3
    assert trained[-1].gain > trained[-4].gain
    moving = [row for row in rows if row.model == "log, k = 4"]
    assert [(row.epoch, row.chance) for row in moving] == [(0, "points")] * 3 + [(epoch, "") for epoch in range(1, 5)]
    # It moves with the metric, and gains more than the network for less.
    assert all(0.002 < row.gram < 0.3 for row in moving[3:]) and moving[-1].gram > moving[3].gram
    assert moving[-1].gain > 10 > 2 > trained[-1].gain and moving[-1].gram < 0.5 * trained[-1].gram
    assert sum("deviations above" in line for line in lines) == 6
    assert (tmp_path / "ntk-evolution.png").stat().st_size > 10_000
    assert ntk_evolution.run(Comm(), tmp_path, 2000, lambda line: None) == rows


def test_the_kernel_of_a_linear_potential_does_not_move_at_all(monkeypatch):
    monkeypatch.setattr(ntk_evolution, "EPOCHS", 3)
    start = ntk_evolution._potential(Comm(), 200, 1, 6, "linear")
    rows = ntk_evolution._followed("linear", *start, lambda line: None)
    assert [(row.real, row.singular, row.gram) for row in rows[5:]] == [(0, 0, 0)] * 3
    assert rows[-1].gain > 1.5 and min(row.gram for row in rows[:5]) > 0.01


@pytest.mark.parametrize("name", ["linear", "log"])
def test_derivatives_by_coefficients_are_differences_of_metrics(name):
    p = mpiflow.sample({"family": "fermat"}, 4, 3)
    surface = Fermat().domain()
    space, phi = features(Comm(), surface, 4), Composed(ANSAETZE.find(name)(), 4)
    c, layout = 0.05 * np.arange(1, len(space) + 1), Layout(Comm(), np.zeros(4, np.int32), 1, [1.0])
    frame = surface.frame(p.z, p.chart)
    found = jacobian(phi, space.prepare(frame, True), c, frame.lower)

    def reals(at):
        return hermitian.to_reals(KaehlerPredictor(surface, space, at, phi).metric(layout, p.z, p.chart))

    step = 1e-5
    for m, direction in enumerate(np.eye(len(space))):
        slope = (reals(c + step * direction) - reals(c - step * direction)) / (2 * step)
        np.testing.assert_allclose(found[:, :, m], slope, atol=1e-8)
