"""Figures of flows on real grids at their least size: what they say, and their pictures."""

from importlib import import_module

import numpy as np

from mpiflow.comm import Comm
from mpiflow.paper import map as figure_1
from mpiflow.paper import ricci

non_local = import_module("mpiflow.paper.nonlocal")


def agreed(claims):
    return {claim.what: bool(claim.low <= claim.ours <= claim.high) for claim in claims}


def test_ricci_flow_is_what_is_known_of_it(tmp_path, monkeypatch):
    monkeypatch.setattr(ricci, "NECKS", (0.0, 0.4))
    lines = []
    rows = ricci.run(Comm(), tmp_path, ricci.LEAST, lines.append)
    found = agreed(ricci.claims(rows))
    assert len(found) == 10 and all(found.values()), found
    assert (tmp_path / "ricci.png").stat().st_size > 10_000
    local, wide = (row for row in rows if row.flow == "neck")
    assert wide.time < local.time and np.isclose(local.time, 0.2574, atol=5e-4)


def test_the_non_local_flow_freezes_waves_runs_backwards_and_loses_hills(tmp_path, monkeypatch):
    monkeypatch.setattr(non_local, "HEIGHTS", (8.0,))
    monkeypatch.setattr(non_local, "BETWEEN", (0.25, 0.45))
    monkeypatch.setattr(non_local, "HALVINGS", 4)
    monkeypatch.setattr(non_local, "WIDTHS", (0.0, 0.5))
    rows = non_local.run(Comm(), tmp_path, non_local.LEAST, lambda line: None)
    found = agreed(non_local.claims(rows))
    assert len(found) == 5 and all(found.values()), found
    assert (tmp_path / "nonlocal.png").stat().st_size > 10_000


def test_a_narrow_kernel_fills_a_dimple_and_a_wide_one_loses_it():
    assert not non_local.sinks(8.0, 0.2) and non_local.sinks(8.0, 0.5)


def test_the_map_tells_local_frozen_and_mixing_flows_apart(tmp_path, monkeypatch):
    monkeypatch.setattr(figure_1, "FIXED", 20)
    monkeypatch.setattr(figure_1, "STEPS", 5)
    monkeypatch.setattr(figure_1, "EPOCHS", 2)
    monkeypatch.setattr(figure_1, "NETWORKS", {})
    rows = figure_1.run(Comm(), tmp_path, figure_1.LEAST, lambda line: None)
    by = {row.flow: row for row in rows}
    assert by["delta"].reach < 1e-10 < by["gaussian .1"].reach < 0.2 < by["gaussian .4"].reach < by["relu"].reach
    assert {row.flow for row in rows if row.moved > 0} == {"potential, log", "Ricci, local", "Ricci, s = .5"}
    assert {row.flow for row in rows if row.mixing == 0} == {*figure_1.COMPONENTS, "Ricci, s = .5, HR 2.13"}
    assert 0.05 < by["Ricci, local"].moved < 0.3 and by["potential, linear"].mixing > 0.5
    assert (tmp_path / "map.png").stat().st_size > 10_000


def test_lowering_is_that_of_both_indices():
    u = np.random.default_rng(0).standard_normal((3, 4, 4)) + np.array([3.0, 0.0, 3.0])[:, None, None]
    s = np.random.default_rng(1).standard_normal((3, 16))
    g, upper = u[[[0, 1], [1, 2]]].reshape(2, 2, -1), s[[[0, 1], [1, 2]]]
    lower = np.einsum("iap,abp,bjp->ijp", g, upper, g)
    scale = np.array([1, np.sqrt(2), 1])[:, None]
    found = np.einsum("cdp,dp->cp", figure_1._lowering(u, "lowered"), scale * s)
    assert np.abs(found - scale * np.stack([lower[0, 0], lower[0, 1], lower[1, 1]])).max() < 1e-12
