"""Figures of flows on a torus at a tiny size: what they say, and their pictures."""

import numpy as np
import pytest

from mpiflow.comm import Comm, world
from mpiflow.paper import gauges, local
from mpiflow.ranks.members import shared


def test_gauges_have_their_rates_and_a_fixed_measure_runs_backwards(tmp_path):
    rows = gauges.run(Comm(), tmp_path, 24, lambda line: None)
    found = {claim.what: claim.low <= claim.ours <= claim.high for claim in gauges.claims(rows)}
    assert (
        not found.pop("largest rate of (2.40) with a fixed measure, local") and all(found.values()) and len(found) == 6
    )
    assert max(row.rate for row in rows) > 40
    assert (tmp_path / "gauges.png").stat().st_size > 10_000


def test_kernels_become_local_as_the_square_of_their_width(tmp_path, monkeypatch):
    monkeypatch.setattr(local, "WIDTHS", (0.1, 0.05))
    monkeypatch.setattr(local, "STEPS", 10)
    monkeypatch.setattr(local, "BATCHES", (1024, 4096))
    monkeypatch.setattr(local, "NETWORKS", (256, 1024, 4096))
    rows = local.run(Comm(), tmp_path, 12, lambda line: None)
    assert all(claim.low <= claim.ours <= claim.high for claim in local.claims(rows)), local.claims(rows)
    assert [row.error for row in rows if row.kind == "network"] == sorted(
        (row.error for row in rows if row.kind == "network"), reverse=True
    )
    assert (tmp_path / "local.png").stat().st_size > 10_000


@pytest.mark.parallel([3])
def test_members_come_back_in_their_order():
    assert shared(world(), range(7), lambda item: item**2) == [item**2 for item in range(7)]
    assert shared(world(), (), np.sqrt) == []
