"""Figures of the theory at a tiny size: what they say, and their pictures."""

from mpiflow.comm import Comm
from mpiflow.paper import (
    architectures,
    balanced,
    discrete,
    family,
    functionals,
    lazy,
    linear_limit,
    network_steps,
    oracle,
    two_charts,
)


def agreed(claims):
    return {claim.what: claim.low <= claim.ours <= claim.high for claim in claims}


def test_finite_networks_tend_to_their_limits(tmp_path, monkeypatch):
    monkeypatch.setattr(architectures, "UNITS", (64, 256, 1024))
    monkeypatch.setattr(architectures, "FLOWED", (64, 256))
    monkeypatch.setattr(architectures, "DRAWS", 2)
    monkeypatch.setattr(architectures, "FEW", 60)
    monkeypatch.setattr(architectures, "KERNELS", {"erf": ({"depth": 1}, 0.05)})
    lines = []
    found = agreed(architectures.claims(architectures.run(Comm(), tmp_path, 100, lines.append)))
    assert (
        found["cosine: order of K_N - K in 1/N"] and found["cosine: K_N - K over its exact deviation, farthest from 1"]
    )
    assert (tmp_path / "architectures.png").stat().st_size > 10_000
    assert sum("falls as N^-" in line for line in lines) == 2


def test_steps_fall_with_the_power(tmp_path, monkeypatch):
    monkeypatch.setattr(family, "NAMES", {3: "K3"})
    monkeypatch.setattr(family, "DEGREE", 4)
    rows = family.run(Comm(), tmp_path, 300, lambda line: None)
    assert all(agreed(family.claims(rows)).values())
    assert [row.power for row in rows] == list(family.POWERS) and all(row.steps > 0 for row in rows)
    assert (tmp_path / "family.png").stat().st_size > 10_000


def test_functionals_end_where_gauss_newton_does_and_j_does_not(tmp_path, monkeypatch):
    monkeypatch.setattr(functionals, "CASES", {"K3": (3, 4)})
    monkeypatch.delitem(functionals.FLOWS, "kl")
    rows = functionals.run(Comm(), tmp_path, 300, lambda line: None)
    found = agreed(functionals.claims(rows))
    assert not found.pop("K3: unseen gain of J over Gauss-Newton's")
    assert not found.pop("K3, half way to the end: square of J's slope over that of Mabuchi's")
    assert found["K3, at g_FS: square of J's slope over that of Mabuchi's"]
    # On so few points what holds by parts, or for R itself, may not.
    assert all(agrees for what, agrees in found.items() if "Calabi" not in what and "calabi" not in what)
    by = {row.flow: row for row in rows if hasattr(row, "flow")}
    assert by["sigma"].train_gain > 1.02 * by["gauss-newton"].train_gain
    assert (tmp_path / "functionals.png").stat().st_size > 10_000


def test_balanced_metrics_are_fixed_points_and_gauss_newton_is_nearer(tmp_path, monkeypatch):
    monkeypatch.setattr(balanced, "DEGREES", (2, 3))
    monkeypatch.setattr(balanced, "FITTED", 2)
    monkeypatch.setattr(balanced, "GENERIC", ())
    rows = balanced.run(Comm(), tmp_path, 500, lambda line: None)
    settled, nearer = balanced.claims(rows)[1:]
    assert settled.ours < 1e-3 and nearer.ours == 1 and rows[1].sigma < rows[0].sigma
    assert (tmp_path / "balanced.png").stat().st_size > 10_000


def test_the_cubic_is_its_lattice_and_kernels_that_are_told_learn_no_more(tmp_path, monkeypatch):
    monkeypatch.setattr(oracle, "UNSEEN", 300)
    monkeypatch.setattr(oracle, "CELLS", 48)
    monkeypatch.setattr(oracle, "TOLD", {name: oracle.TOLD[name] for name in ("relu, two layers",)})
    rows = oracle.run(Comm(), tmp_path, 1000, lambda line: None)
    assert all(agreed(oracle.claims(rows)).values())
    assert [row.points for row in rows if row.points] == [62, 250, 1000]
    assert (tmp_path / "oracle.png").stat().st_size > 10_000


def test_a_discrete_delta_learns_nothing_whatever_h_is(tmp_path, monkeypatch):
    monkeypatch.setattr(
        discrete, "KERNELS", {name: discrete.KERNELS[name] for name in (discrete.DISCRETE, "gaussian .4")}
    )
    rows = discrete.run(Comm(), tmp_path, 200, lambda line: None)
    assert all(agreed(discrete.claims(rows)).values())
    assert len({row.gain for row in rows if row.kernel == "gaussian .4"}) == 3
    assert (tmp_path / "discrete.png").stat().st_size > 10_000


def test_networks_are_lazy_and_their_steps_flows(tmp_path, monkeypatch):
    ensembles = {"WIDTHS": (256,), "SINGLE": (64, 1024), "NAMES": {2: "torus"}, "SHARES": (0.3, 1.0), "DRAWS": 2}
    small = {"KINDS": ("multiplicative",), "MIXED": (8,), "DRAWS": 2, "POINTS": 12, "UNITS": 8}
    batches = {"BATCHES": (1, 4), "BATCHED": 24}
    for module, values in ((linear_limit, ensembles), (network_steps, small | batches)):
        for name, value in values.items():
            monkeypatch.setattr(module, name, value)
    kept = ("ReLU NTK", "local, natural gradient")
    monkeypatch.setattr(two_charts, "FLOWS", {name: two_charts.FLOWS[name] for name in kept})
    rows = lazy.run(Comm(), tmp_path, 100, lambda line: None)
    found = agreed(lazy.claims(rows))
    bands = [found.pop(what) for what in list(found) if "2 sd band" in what]
    assert len(bands) == 1 and len(found) == 9
    # Of 24 batches of four points the noise is not told to a tenth.
    assert all(holds for what, holds in found.items() if "noise" not in what), found
    assert (tmp_path / "lazy.png").stat().st_size > 10_000
