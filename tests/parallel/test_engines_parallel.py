"""Kernel sums have the same bits on any number of ranks, whatever the engine, the kernel and the coupling."""

import numpy as np
import pytest
from surfaces import fermat

from mpiflow.comm import Comm, world
from mpiflow.coupling import Coupling
from mpiflow.kernels.delta import Delta
from mpiflow.kernels.gaussian import Gaussian
from mpiflow.kernels.relu import ReluNTK
from mpiflow.ranks.shards import Layout
from mpiflow.sampling import TEST, TRAIN, sample

KERNELS = {
    "resident": [Gaussian(0.3), ReluNTK(2, 1.3, 0.2)],
    "streamed": [Gaussian(0.05), ReluNTK(1, 1.0, 0.0)],
    "symmetric": [Gaussian(0.05), ReluNTK(2, 1.3, 0.2)],
    "neighbours": [Delta(), Gaussian(0.05)],
}
TRAIN_POINTS, TEST_POINTS = 700, 150
#: Uneven clusters, one of a single point.
LABEL = np.searchsorted([299, 300], np.arange(TRAIN_POINTS), side="right")


def summed(comm, kernel, mode, precision, coupled, normalisation):
    """u at the train points and at unseen ones, in point order on rank 0."""
    z, unseen = (sample(Comm(), fermat(4), n, 1, s)[1].z for n, s in ((TRAIN_POINTS, TRAIN), (TEST_POINTS, TEST)))
    v = np.random.default_rng(0).normal(size=(TRAIN_POINTS, 9))
    train = Layout(comm, LABEL, 3, [float(n) for n in np.bincount(LABEL)])
    lists = [np.arange(TRAIN_POINTS)] * 3 if coupled else train.members
    coupling = Coupling(kernel, train, z[train.rows], lists, normalisation, mode=mode, precision=precision)
    test = Layout(comm, np.arange(TEST_POINTS) % 3, 3, [1.0] * 3)
    sums = ((train, coupling.onto_itself()), (test, coupling.onto(test, unseen[test.rows])))
    return [layout.gather(kernel_sum.apply(v[train.rows])) for layout, kernel_sum in sums]


@pytest.mark.parallel([3])
@pytest.mark.parametrize("coupled", [True, False])
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("mode", KERNELS)
def test_bits_do_not_depend_on_the_ranks(mode, precision, coupled):
    for kernel, normalisation in zip(KERNELS[mode], ("row", "mean"), strict=True):
        here = summed(world(), kernel, mode, precision, coupled, normalisation)
        alone = summed(Comm(), kernel, mode, precision, coupled, normalisation)
        if world().rank == 0:
            for found, expected in zip(here, alone, strict=True):
                np.testing.assert_array_equal(found, expected)
                assert found.any()
