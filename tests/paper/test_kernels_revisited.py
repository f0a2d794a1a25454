"""`mpiflow paper kernels-revisited` at a tiny size: Kaehler potentials generalise where the paper's kernels do not."""

from dataclasses import replace

import numpy as np

from mpiflow.comm import Comm
from mpiflow.paper import kernels_revisited, trained
from mpiflow.paper.claims import verdict
from mpiflow.preconditioners import natural


def test_invariants_gain_more_with_each_degree(tmp_path, monkeypatch):
    monkeypatch.setattr(kernels_revisited, "TEST", 300)
    monkeypatch.setattr(kernels_revisited, "STEPS", 20)
    monkeypatch.setattr(trained, "MOST", 60)
    monkeypatch.setattr(kernels_revisited, "_SETS", 2)
    monkeypatch.setattr(natural, "INNER", 10)
    fewer = {
        name: replace(curve, degrees=curve.degrees[:4], more={8: (50,)} if 8 in curve.more else {})
        for name, curve in kernels_revisited.CURVES.items()
    }
    fewer["generic, log"] = replace(fewer["generic, log"], degrees=(1,))
    monkeypatch.setattr(kernels_revisited, "CURVES", fewer)
    lines = []
    rows = kernels_revisited.run(Comm(), tmp_path, 120, lines.append)
    at = {(row.kernel, row.degree): row for row in reversed(rows) if row.points == 120}
    gains = [at["invariant", k].gain for k in (2, 4, 6, 8)]
    assert gains == sorted(gains) and gains[-1] > 100
    # The same functions, points and steps inside the logarithm, C frozen or not.
    moving = [at["invariant, log", k].gain for k in (4, 6, 8)]
    assert (np.array(moving) > 2 * np.array(gains[1:])).all() and at["invariant, log, C anew", 8].gain > 3 * gains[-1]
    assert at["generic, log", 1].train_gain > 1
    assert [
        sum(row.seed == seed and row.kernel == "invariant, log" and row.degree == 8 for row in rows) for seed in (1, 2)
    ]
    assert at["invariant", 8].defect < 1e-5 < 0.1 < at["conformal, not Kaehler", 0].defect
    assert at["invariant, log", 8].defect < 1e-5
    assert at["Gaussian .4", 0].gain < 6 and at["Delta", 0].gain < 2
    network, potential = at["network g_FS (1 + NN)", 0], at["network of phi", 0]
    assert network.train_gain > 1.1 and potential.train_gain > 1.1
    assert potential.defect < 1e-5 < 0.1 < network.defect
    # As many generic features as points fit them and nothing else.
    assert at["generic", 2].train_gain > 2 * at["generic", 2].gain
    assert (tmp_path / "kernels-revisited.png").stat().st_size > 10_000
    assert sum("median gain" in line for line in lines) == 1
    assert len(lines) == len(rows) + 3
    assert verdict([kernels_revisited.claims(rows)[-1]]).agrees
