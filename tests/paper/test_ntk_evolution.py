"""The NTK of a network in training leaves that of its beginning, by more than chance."""

from mpiflow.comm import Comm
from mpiflow.paper import ntk_evolution
from mpiflow.paper.claims import verdict


def test_the_ntk_moves_further_than_chance_and_twice_to_the_same_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr(ntk_evolution, "EPOCHS", 4)
    lines = []
    rows = ntk_evolution.run(Comm(), tmp_path, 2000, lines.append)
    assert [row.epoch for row in rows] == [0] * 5 + list(range(1, 5))
    for name in ("real", "singular", "gram"):
        last, mean, spread = ntk_evolution.significance(rows, name)
        assert last > mean + 5 * spread
    assert [verdict([claim]).agrees for claim in ntk_evolution.claims(rows)] == [True] * 3
    assert rows[-1].sigma < rows[5].sigma
    assert sum("deviations above" in line for line in lines) == 3
    assert (tmp_path / "ntk-evolution.png").stat().st_size > 10_000
    assert ntk_evolution.run(Comm(), tmp_path, 2000, lambda line: None) == rows
