"""The functionals of app. B, and the flows from Calabi's to the natural gradient that lower them (theory 4)."""

import numpy as np
import pytest
from facts import telling
from surfaces import fermat

from mpiflow import config, sampling
from mpiflow.ansatz.composed import Composed
from mpiflow.ansatz.linear import Linear
from mpiflow.ansatz.log import Log as Inside
from mpiflow.comm import Comm
from mpiflow.engine.low_rank import LowRank
from mpiflow.errors import InputError
from mpiflow.flows.monge_ampere import MongeAmpere
from mpiflow.flows.potential_predictor import KaehlerPredictor
from mpiflow.functionals.calabi import Calabi
from mpiflow.functionals.calabi_projected import CalabiProjected
from mpiflow.functionals.j import J
from mpiflow.functionals.j_omega import JOmega
from mpiflow.functionals.kl import KL
from mpiflow.functionals.log import Log
from mpiflow.functionals.mabuchi import Mabuchi
from mpiflow.functionals.monge_ampere import MongeAmpere as Squared
from mpiflow.functionals.sigma_smooth import SigmaSmooth
from mpiflow.geometry import curvature
from mpiflow.job.flowing import Flowing
from mpiflow.methods import potentials
from mpiflow.preconditioners.family import Family, spectral
from mpiflow.ranks.chunks import Chunks

FUNCTIONALS = [Log(), Squared(), Mabuchi(), KL(), SigmaSmooth(width=0.1), J(), JOmega(), CalabiProjected(), Calabi()]


def equation(loss, ansatz=None, total=300, degree=4):
    """The equation on points of K3, and its number of features."""
    surface, ansatz = fermat(3), ansatz or Linear()
    _, p = sampling.sample(Comm(), surface, total, 0, sampling.TRAIN)
    features, phi = potentials.features(Comm(), surface, degree), Composed(ansatz, degree, "jets" in loss.asks)
    engine = LowRank(Chunks(Comm(), total), features, surface.frame(p.z, p.chart), whole=phi.whole)
    return MongeAmpere(engine, p.weight, loss, surface.form(p), phi), len(features)


@pytest.mark.parametrize("ansatz", [Linear(), Inside()])
@pytest.mark.parametrize("loss", FUNCTIONALS, ids=lambda loss: loss.name)
def test_slopes_agree_with_differences(loss, ansatz):
    if "second" in loss.asks and not ansatz.linear:
        pytest.skip("it takes a sum of features")
    problem, size = equation(loss, ansatz)
    # Curvature is far less linear in c than a metric.
    rng, h = np.random.default_rng(0), 1e-4 if "second" in loss.asks else 1e-3
    here, along = 0.01 * rng.normal(size=size), 0.02 * rng.normal(size=size)
    # Of fourth order, as kinks and logarithms are far.
    near = [problem.at(here + k * h * along).loss for k in (-2, -1, 1, 2)]
    numeric = (8 * (near[2] - near[1]) - (near[3] - near[0])) / (12 * h)
    found = problem.gradient(problem.at(here)) @ along
    assert found == pytest.approx(numeric, rel=1e-8)


def test_the_mabuchi_energy_is_an_entropy_and_j():
    """<eta log eta> = <eta log(eta / eta_0)> + J, J as flowed being less <log eta_0>, and KL is -<log eta>."""
    problem, size = equation(J())
    state, reference = problem.at(0.01 * np.random.default_rng(0).normal(size=size)), problem.reference()
    w, eta = problem.weight / problem.weight.sum(), state.eta
    entropy = w @ (eta * np.log(eta / reference))
    second = state.loss + w @ np.log(reference)
    assert equation(Mabuchi())[0].at(state.coefficients).loss == pytest.approx(entropy + second, rel=1e-12)
    assert equation(KL())[0].at(state.coefficients).loss == pytest.approx(-w @ np.log(eta), rel=1e-12)


def test_j_and_the_mabuchi_energy_have_one_slope_at_g_fs_alone():
    problems = [equation(loss)[0] for loss in (J(), Mabuchi())]
    for scale, apart in ((0.0, 0.0), (0.01, 0.01)):
        c = scale * np.random.default_rng(0).normal(size=problems[0].engine.size)
        j, mabuchi = (problem.gradient(problem.at(c)) for problem in problems)
        off = np.linalg.norm(j - mabuchi) / np.linalg.norm(mabuchi)
        assert off < 1e-12 if apart == 0 else off > apart


def test_the_calabi_functional_is_the_mean_square_of_the_scalar_curvature():
    problem, size = equation(Calabi())
    state = problem.at(0.01 * np.random.default_rng(0).normal(size=size))
    surface, features = fermat(3), problem.engine.features
    _, p = sampling.sample(Comm(), surface, 300, 0, sampling.TRAIN)
    found = KaehlerPredictor(surface, features, state.coefficients)
    scalar = curvature.scalar(*found.curvature(p.z, p.chart))
    assert state.loss == pytest.approx(p.weight @ (state.eta * scalar**2) / p.weight.sum(), rel=1e-12)


def test_the_projected_calabi_functional_is_less_than_the_whole_and_most_of_it():
    """By Bessel's inequality, up to an integration by parts on points."""
    whole, projected = (equation(loss, total=3000)[0] for loss in (Calabi(), CalabiProjected()))
    c = 0.003 * np.random.default_rng(0).normal(size=whole.engine.size)
    assert 0.3 < projected.at(c).loss / whole.at(c).loss < 1.1


def test_j_of_omega_is_least_at_g_fs_and_its_flow_goes_back_there():
    made = flowing({}, {"dt": 1.0, "steps": 15, "loss": "j-omega", "search": "lbfgs"}, degree=4)
    flow = made.flow
    begun = flow.state
    assert begun.loss == 0 and np.abs(flow.slope()).max() < 1e-15
    flow.take(flow.problem.at(0.01 * np.random.default_rng(0).normal(size=len(flow.features))))
    away = flow.state.loss
    made.finish()
    assert away > 1e-4 and flow.state.loss < 1e-3 * away


@pytest.mark.parametrize("search", ["euler", "lbfgs"])
def test_a_flow_that_begins_at_its_minimum_stays_there(search):
    made = flowing({}, {"dt": 0.5, "steps": 2, "loss": "j-omega", "search": search}, degree=4)
    made.finish()
    assert made.flow.steps == 2 and not made.flow.state.coefficients.any()


def test_j_of_omega_is_the_integral_of_its_slope_along_a_line():
    """dJ/dt at t c is <t psi_t> of the line: by Gauss' rule over t, against the value at its end."""
    problem, size = equation(JOmega())
    c = 0.01 * np.random.default_rng(0).normal(size=size)
    nodes, weights = np.polynomial.legendre.leggauss(6)
    slopes = [problem.gradient(problem.at(t * c)) @ c for t in (1 + nodes) / 2]
    assert problem.at(c).loss == pytest.approx(weights @ slopes / 2, rel=1e-10)


@pytest.mark.parametrize(
    "keys, loss, cure",
    [
        ({"potential": "log"}, "calabi", 'kernel.potential = "linear"'),
        ({"features": "generic"}, "calabi-projected", 'kernel.features = "invariant"'),
    ],
)
def test_functionals_are_refused_where_derivatives_are_not_known_one_by_one(keys, loss, cure):
    with telling(InputError, f'flow.loss = "{loss}"', "kaehler", cure):
        flowing(keys, {"dt": 0.1, "loss": loss})


def flowing(kernel, flow, degree=6, train=600):
    table = {
        "manifold": {"ambient": 3},
        "points": {"train": train, "test": 10, "chart": "all"},
        "kernel": {"name": "kaehler", "degree": degree} | kernel,
        "flow": flow,
    }
    return Flowing.begun(Comm(), config.check(table, "test"))


def family(**keys):
    return {"preconditioner": {"name": "family"} | keys}


def test_minus_laplace_is_the_integral_of_its_function_times_it():
    """<dF . dbar F> = -<F Laplace F>, means by the volume of g: by parts, on the points that there are."""
    flow = flowing(family(), {"dt": 1e-9, "steps": 1}, degree=4, train=4000).flow
    engine = flow.applied
    values, vectors, _ = spectral(flow, engine)
    weight = flow.problem.weight * flow.state.eta
    f = np.concatenate([p[:, : rows.stop - rows.start, 0] for rows, p in engine.each()], axis=1)
    laplace = np.einsum("mxc,xc->mx", *_traced(flow))
    by_parts = -(vectors.T @ f * weight) @ (vectors.T @ laplace).T / weight.sum()
    np.testing.assert_allclose(np.diag(by_parts), values, rtol=0.1)


def _traced(flow):
    hessians = np.concatenate(
        [prepared[:, : rows.stop - rows.start] for rows, prepared in flow.problem.engine.each()], axis=1
    )
    return hessians, flow.problem.slope(flow.state)


@pytest.mark.parametrize("power", [0.0, 1.0])
def test_the_mabuchi_energy_falls_at_every_step_of_kaehler_ricci_and_calabi_flow(power):
    top = spectral(flow := flowing(family(), {"dt": 1e-9, "steps": 1}).flow, flow.applied)[0][-1]
    made = flowing(family(power=power), {"dt": 1 / top ** (1 + power), "steps": 12, "loss": "mabuchi"})
    made.begin()
    made.finish()
    assert (np.diff(made.history.arrays()["loss"]) < 0).all()


@pytest.mark.parametrize("potential", ["linear", "log"])
def test_kaehler_ricci_ends_where_gauss_newton_does(potential):
    end = flowing({"potential": potential}, {"dt": 1.0, "steps": 6, "search": "gauss-newton"}).finish()
    keys = {"potential": potential} | family(implicit=True, growth=2.0)
    ricci = flowing(keys, {"dt": 0.01, "steps": 20}).finish()
    assert ricci.flow.state.sigma == pytest.approx(end.flow.state.sigma, rel=0.04)


def test_the_family_is_one_from_ricci_flow_to_newtons_step():
    flow = flowing(family(), {"dt": 1e-9, "steps": 1}).flow
    values, vectors, right = spectral(flow, flow.applied)
    explicit, implicit = (Family(power=p, implicit=on) for p, on in ((-1.0, False), (0.5, True)))
    newton = explicit.along(values, vectors, right, 1.0)
    np.testing.assert_allclose(implicit.along(values, vectors, right, 1e30) * 1e30, newton, rtol=1e-10)
    np.testing.assert_allclose(
        implicit.along(values, vectors, right, 0.0), Family(power=0.5).along(values, vectors, right, 0), rtol=1e-12
    )
    assert flow.rule.preconditioner.direction(flow, flow.applied) @ right < 0


def test_mabuchi_ends_where_gauss_newton_does_and_sigma_at_its_own_minimum():
    gauss = flowing({}, {"dt": 1.0, "steps": 6, "search": "gauss-newton"}).finish().flow.state.sigma
    ends = {
        loss: flowing({"refreeze": 1}, {"dt": 0.5, "steps": 20, "loss": loss}).finish().flow.state.sigma
        for loss in ("mabuchi", "kl", "sigma-smooth")
    }
    assert ends["mabuchi"] == pytest.approx(gauss, rel=0.04)
    assert ends["kl"] == pytest.approx(gauss, rel=0.04)
    assert ends["sigma-smooth"] < 0.97 * gauss


def test_reweighted_steps_come_to_the_minimum_of_sigma():
    """The slope that is left, over that at the start, is that of the few points at the kink."""
    keys = {"preconditioner": "reweighted", "refreeze": 1}
    flow = flowing(keys, {"dt": 1.0, "steps": 40, "loss": {"name": "sigma-smooth", "width": 1e-3}})
    begun = np.linalg.norm(flow.flow.slope())
    assert np.linalg.norm(flow.finish().flow.slope()) < 5e-3 * begun


def test_j_is_refused_where_nothing_knows_g_fs():
    table = {"kernel": {"name": "gaussian", "width": 0.4}, "flow": {"dt": 0.03, "loss": "j"}}
    with telling(InputError, 'flow.loss = "j"', "gaussian", 'kernel.name = "kaehler"'):
        config.check(table, "x.toml")


def test_under_its_own_normal_matrix_the_calabi_functional_comes_to_its_end():
    """A step of 1 / 2 is Gauss-Newton's on R; its end on a torus of few functions is that of log eta."""
    keys = {"preconditioner": "curvature", "refreeze": 1}
    for loss in ("calabi", "calabi-projected"):
        made = flowing(keys, {"dt": 0.5, "steps": 25, "loss": loss})
        begun = made.flow.state
        ended = made.finish().flow.state
        assert ended.loss < 0.05 * begun.loss and ended.sigma < 0.05 * begun.sigma
        slope = np.linalg.norm(made.flow.slope())
        assert slope < 1e-3 * np.linalg.norm(made.flow.problem.gradient(begun))
