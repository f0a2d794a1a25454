"""Figures of flows on real grids at their least size: what they say, and their pictures."""

import numpy as np

from mpiflow.comm import Comm
from mpiflow.paper import ricci


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
