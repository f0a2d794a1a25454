"""Generic features: counted modulo Q, exact, and solved without their matrix."""

from __future__ import annotations

import numpy as np
import pytest
from facts import telling
from newton import solve
from surfaces import fermat, problem, random_quartic

from mpiflow import hermitian, sampling
from mpiflow.engine.low_rank import LowRank
from mpiflow.errors import InputError
from mpiflow.flows.monge_ampere import MongeAmpere
from mpiflow.geometry import charts
from mpiflow.geometry.frames import frame
from mpiflow.kernels.invariants import Invariants
from mpiflow.kernels.sections import Sections, sections


class Explicit:
    """The same features one by one, as a low-rank engine wants them."""

    def __init__(self, features: Sections):
        self.features = features

    def __len__(self):
        return len(self.features)

    load, contract, adjoint = Invariants.load, Invariants.contract, Invariants.adjoint

    def bytes(self, points, d, whole=False):
        return 8 * len(self) * points * d**2

    def prepare(self, here, whole=False, device=None):
        values = self.features.prepare(here)
        return np.array([self.features.contract(values, self.features.load(unit)) for unit in np.eye(len(self))])


def test_counts_modulo_q():
    assert [len(sections(fermat(4), k).exponents) for k in (2, 4, 5, 6, 8)] == [15, 70, 125, 205, 460]
    assert len(sections(random_quartic(), 5).exponents) == 56 - 4


def test_degree_zero_is_refused():
    with telling(InputError, "kernel.degree = 0"):
        sections(fermat(4), 0)


def test_sections_of_a_point_have_unit_length():
    """sum |s_alpha|^2 = |z|^(2k), below the degree of Q."""
    p = sampling.chunk(fermat(4), 0, sampling.TRAIN, 0, None).map(lambda rows: rows[:5])
    values = sections(fermat(4), 4).prepare(frame(fermat(4), p.z, p.chart))
    np.testing.assert_allclose((np.abs(values[:, 0]) ** 2).sum(1), 1.0)


def test_hessian_against_differences():
    surface = random_quartic()
    features = sections(surface, 4)
    p = sampling.chunk(surface, 0, sampling.TRAIN, 0, None).map(lambda rows: rows[:6])
    here = frame(surface, p.z, p.chart)
    rng = np.random.default_rng(0)
    c = rng.normal(size=len(features))

    def phi(z):
        return features.potential(z, c)

    v = rng.normal(size=(6, 2)) + 1j * rng.normal(size=(6, 2))
    g = (
        here.lower
        @ hermitian.from_reals(features.contract(features.prepare(here), features.load(c)))
        @ here.lower.conj().swapaxes(1, 2)
    )
    expected = np.einsum("xa,xab,xb->x", v, g, v.conj()).real
    step = 3e-3
    around = [phi(charts.displaced(surface, p.z, p.chart, step * np.exp(0.25j * np.pi * k) * v)) for k in range(8)]
    found = (np.mean(around, axis=0) - phi(p.z)) / step**2
    assert np.abs(found - expected).max() < 2e-3 * np.abs(expected).max()


def test_apply_and_adjoint_are_adjoint():
    surface = random_quartic()
    engine = problem(surface, sections(surface, 3), 700).engine
    rng = np.random.default_rng(1)
    c, v = rng.normal(size=engine.size), rng.normal(size=(700, 4))
    assert engine.adjoint(v) @ c == pytest.approx((engine.apply(c) * v).sum(), rel=1e-12)
    again = LowRank(engine.chunks, engine.features, engine.frame, memory=0.0)
    assert (again.adjoint(v) == engine.adjoint(v)).all()


def test_conjugate_gradients_find_what_factorisation_finds():
    surface = random_quartic()
    features = sections(surface, 2)
    free = problem(surface, features, 1000)
    engine = LowRank(free.engine.chunks, Explicit(features), free.engine.frame)
    whole = MongeAmpere(engine, free.weight)
    start = np.zeros(len(features))
    iterated = solve(free, start, ridge=1e-9, inner=300)
    direct = solve(whole, start, ridge=1e-9)
    assert free.at(iterated.coefficients).loss == pytest.approx(whole.at(direct.coefficients).loss, rel=1e-3)


def test_k3_without_symmetry_gains_on_unseen_points():
    surface = random_quartic()
    features = sections(surface, 3)
    found = solve(problem(surface, features, 3000), np.zeros(len(features)), iterations=5, ridge=1e-6, inner=100)
    test = problem(surface, features, 2000, sampling.TEST)
    assert test.at(np.zeros(len(features))).sigma / test.at(found.coefficients).sigma > 3
