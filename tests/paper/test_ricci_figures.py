"""Figures of flows on real grids at their least size: what they say, and their pictures."""

from importlib import import_module

import numpy as np

from mpiflow.comm import Comm
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
    monkeypatch.setattr(non_local, "HEIGHTS", {8.0: 0.32})
    monkeypatch.setattr(non_local, "BETWEEN", (0.25, 0.45))
    monkeypatch.setattr(non_local, "HALVINGS", 4)
    monkeypatch.setattr(non_local, "WIDTHS", (0.0, 0.5))
    rows = non_local.run(Comm(), tmp_path, non_local.LEAST, lambda line: None)
    found = agreed(non_local.claims(rows))
    assert len(found) == 5 and all(found.values()), found
    assert (tmp_path / "nonlocal.png").stat().st_size > 10_000


def test_a_narrow_kernel_fills_a_dimple_and_a_wide_one_loses_it():
    assert not non_local.sinks(8.0, 0.2) and non_local.sinks(8.0, 0.5)
