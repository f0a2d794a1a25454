"""`mpiflow paper kernels-revisited` at a tiny size: Kaehler potentials generalise where the paper's kernels do not."""

from mpiflow.comm import Comm
from mpiflow.paper import kernels_revisited, trained


def test_invariants_gain_more_with_each_degree(tmp_path, monkeypatch):
    monkeypatch.setattr(kernels_revisited, "TEST", 300)
    monkeypatch.setattr(trained, "MOST", 60)
    monkeypatch.setattr(kernels_revisited, "_COUNTS", (50,))
    lines = []
    rows = kernels_revisited.run(Comm(), tmp_path, 120, lines.append)
    at = {(row.kernel, row.degree): row for row in rows if row.points == 120}
    gains = [at["invariant", k].gain for k in (2, 4, 6, 8)]
    assert gains == sorted(gains) and gains[-1] > 100
    assert at["invariant", 8].defect < 1e-5 < 0.1 < at["conformal, not Kaehler", 0].defect
    assert at["Gaussian .4", 0].gain < 6 and at["Delta", 0].gain < 2
    network, potential = at["network g_FS (1 + NN)", 0], at["network of phi", 0]
    assert network.train_gain > 1.1 and potential.train_gain > 1.1
    assert potential.defect < 1e-5 < 0.1 < network.defect
    # As many generic features as points fit them and nothing else.
    assert at["generic", 2].train_gain > 2 * at["generic", 2].gain
    assert (tmp_path / "kernels-revisited.png").stat().st_size > 10_000
    assert len(lines) == len(rows) + 2
