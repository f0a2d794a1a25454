"""Wider networks move their NTK less."""

from mpiflow.comm import Comm
from mpiflow.paper import network_width


def test_wider_networks_are_nearer_to_the_frozen_kernel(tmp_path, monkeypatch):
    monkeypatch.setattr(network_width, "WIDTHS", (16, 64, 256))
    monkeypatch.setattr(network_width, "STEPS", 5)
    monkeypatch.setattr(network_width, "DRAWS", 2)
    lines = []
    rows = network_width.run(Comm(), tmp_path, 200, lines.append)
    assert [row.width for row in rows] == [16, 64, 256, 0]
    for name in ("moved", "away"):
        values = [getattr(row, name) for row in rows]
        assert values == sorted(values, reverse=True) and values[0] > 2.5 * values[2]
    assert network_width.lazy_width(rows) in (16, 64, 256)
    assert network_width.lazy_width([row for row in rows if row.moved > network_width.LAZY]) is None
    assert (tmp_path / "network-width.png").stat().st_size > 10_000
    power, ratio = network_width.claims(rows)
    assert -1 < power.ours < -0.1 and 0.5 < ratio.ours < 1.5
