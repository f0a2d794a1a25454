"""Closed forms of small Hermitian matrices against LAPACK, on the host and on a device that is none."""

import foreign
import numpy as np
import pytest

from mpiflow import hermitian, measures
from mpiflow.pointwise import Entries

SPECTRA = {
    "random": lambda rng, d: rng.normal(size=(500, d)),
    "one for all": lambda rng, d: np.ones((500, d)),
    "a double least": lambda rng, d: np.sort(rng.uniform(1, 2, (500, d)), 1).clip(
        min=[0.3] * d, max=[0.3] * (d - 1) + [2]
    ),
    "a double largest": lambda rng, d: np.array([0.3] + [2.0] * (d - 1)) * np.ones((500, 1)),
    "nearly double": lambda rng, d: 1 + 10 ** rng.uniform(-16, -2, (500, d)),
    "ill-conditioned": lambda rng, d: 10 ** rng.uniform(-12, 0, (500, d)),
    "zero": lambda rng, d: np.zeros((500, d)),
}


def turned(rng, spectrum):
    """Matrices of such eigenvalues in random frames."""
    d = spectrum.shape[1]
    frame = np.linalg.qr(rng.normal(size=(len(spectrum), d, d)) + 1j * rng.normal(size=(len(spectrum), d, d)))[0]
    g = frame @ (spectrum[:, :, None] * frame.conj().transpose(0, 2, 1))
    return (g + g.conj().transpose(0, 2, 1)) / 2


@pytest.mark.parametrize("d", [1, 2, 3, 4])
@pytest.mark.parametrize("name", SPECTRA)
def test_least_eigenvalue_determinant_and_cofactors_are_lapacks(name, d):
    rng = np.random.default_rng(d)
    g = turned(rng, SPECTRA[name](rng, d))
    entries, values = Entries.of(g), np.linalg.eigvalsh(g)
    largest = np.abs(values).max(1)
    assert (np.abs(entries.least() - values[:, 0]) <= 1e-13 * largest).all()
    np.testing.assert_allclose(entries.determinant(), values.prod(1), rtol=0, atol=1e-14 * largest.max() ** d)
    if name != "zero" and (d < 4 or name == "random"):
        product = g @ entries.cofactors().matrices()
        expected = entries.determinant()[:, None, None] * np.eye(d)
        np.testing.assert_allclose(product, expected, rtol=0, atol=1e-12 * largest.max() ** d)


@pytest.mark.parametrize("d", [1, 2, 3, 4])
def test_what_is_not_finite_has_no_least_eigenvalue(d):
    g = np.stack([np.eye(d, dtype=complex)] * 4)
    g[1, 0, 0], g[2, -1, -1] = np.nan, np.inf
    g[3, 0, -1] = g[3, -1, 0] = np.nan
    found = measures.least_eigenvalue(g)
    assert found[0] == 1 and not np.isfinite(found[1:]).any()


@pytest.mark.parametrize("d", [1, 2, 3, 4])
def test_packed_reals_lose_no_bit(d):
    g = turned(np.random.default_rng(d), np.random.default_rng(0).normal(size=(20, d)))
    np.testing.assert_array_equal(hermitian.unpacked(hermitian.packed(g)), g)
    np.testing.assert_array_equal(Entries.packed(hermitian.packed(g)).reals(), hermitian.packed(g))
    np.testing.assert_array_equal(Entries.of(g).matrices(), g)
    np.testing.assert_allclose(Entries.of(g).norm(), np.linalg.norm(g, axis=(1, 2)), rtol=1e-14)


@pytest.mark.parametrize("d", [1, 2, 3, 4])
def test_a_device_computes_the_same(d):
    far = foreign.device()
    g = turned(np.random.default_rng(d), np.random.default_rng(0).uniform(0.5, 2, size=(20, d)))
    here, there = Entries.of(g), Entries.packed(far.put(hermitian.packed(g)), far.xp)
    for name in ("determinant", "least", "norm"):
        np.testing.assert_allclose(far.fetch(getattr(there, name)()), getattr(here, name)(), rtol=1e-14)
    cofactors = there.cofactors().scaled(far.put(np.full(20, 2.0)))
    np.testing.assert_allclose(far.fetch(cofactors.reals()), 2 * here.cofactors().reals(), rtol=1e-12, atol=1e-12)
