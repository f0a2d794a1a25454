"""Kernels that give a formula and nothing else: streamed and kept through arrays of any library."""

import foreign
import numpy as np
import pytest
from facts import telling
from points import awkward

from mpiflow.engine.formula import Formula
from mpiflow.errors import InputError
from mpiflow.kernels import Kernel, distances
from mpiflow.modes import choice


class Laplace(Kernel):
    width: float = 0.3

    name = "laplace"

    def tile(self, x, y, xp=np):
        return xp.exp(-distances(x, y, xp) / self.width)


class Overlap(Kernel):
    name = "overlap"

    def tile(self, x, y, xp=np):
        return xp.abs(xp.matmul(x, xp.conj(y).T))


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_a_formula_agrees_with_its_dense_matrix(precision):
    x, y = awkward(301), awkward(1100)[1]
    v = np.random.default_rng(0).normal(size=(len(y), 9))
    for mode in ("streamed", "resident"):
        built = choice.build(Laplace(), x[0], y, mode=mode, precision=precision)
        u = Laplace().tile(x[0], y) @ v
        assert built.name == mode and built.bytes > 0 and built.flops > 0
        np.testing.assert_allclose(built.apply(v), u, rtol=0, atol={"float32": 1e-4, "float64": 1e-11}[precision])


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_the_bits_of_a_row_know_neither_its_rank_nor_its_engine(precision):
    x, y = awkward(301)
    v = np.random.default_rng(0).normal(size=(len(y), 9))
    whole = choice.build(Laplace(), x, y, mode="streamed", precision=precision).apply(v)
    for start in (0, 128, 256):
        part = choice.build(Laplace(), x[start:], y, mode="resident", precision=precision).apply(v)
        np.testing.assert_array_equal(part, whole[start:])


def test_a_formula_runs_on_another_device():
    x, y = awkward(150)
    v = np.random.default_rng(0).normal(size=(len(y), 9))
    found = Formula(Overlap(), x, y, "float64", foreign.device()).apply(v)
    np.testing.assert_allclose(found, Overlap().tile(x, y) @ v, rtol=1e-12)


def test_a_formula_is_neither_cut_off_nor_halved():
    assert choice.choose(Laplace(), 1000, 1000, budget=0, kept=lambda: 0.0, square=True).name == "streamed"
    with telling(InputError, 'engine.mode = "neighbours"', "laplace"):
        choice.build(Laplace(), *awkward(30), mode="neighbours")
