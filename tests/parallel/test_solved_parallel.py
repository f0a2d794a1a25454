"""The closed solution has the same bits on any number of ranks, and what one of them refuses all do."""

import numpy as np
import pytest
from facts import telling
from surfaces import fermat

from mpiflow.comm import Comm, world
from mpiflow.coupling import Coupling
from mpiflow.errors import InputError
from mpiflow.flows.solved import Solved
from mpiflow.kernels.gaussian import Gaussian
from mpiflow.kernels.relu import ReluNTK
from mpiflow.ranks.shards import Layout
from mpiflow.sampling import TEST, TRAIN, sample

#: Two clusters of several tiles, and one of a single point.
LABEL = np.searchsorted([199, 200], np.arange(350), side="right")


def solved(comm, kernel, coupled):
    """A step, and the band, in point order on rank 0."""
    z, unseen = (sample(Comm(), fermat(4), n, 1, s)[1].z for n, s in ((350, TRAIN), (90, TEST)))
    train = Layout(comm, LABEL, 3, [float(n) for n in np.bincount(LABEL)])
    lists = [np.arange(350)] * 3 if coupled else train.members
    made = Solved(Coupling(kernel, train, z[train.rows], lists, "mean"))
    rest = np.random.default_rng(0).normal(size=(350, 9))[train.rows]
    test = Layout(comm, np.arange(90) % 3, 3, [1.0] * 3)
    step = [train.gather(part) for part in made.step(rest, 30.0)]
    return [*step, test.gather(made.deviation(test, unseen[test.rows], 30.0))]


@pytest.mark.parallel([3])
@pytest.mark.parametrize("coupled", [True, False])
def test_bits_do_not_depend_on_the_ranks(coupled):
    comm = world()
    here, alone = (solved(each, ReluNTK(1, 1.3, 0.2), coupled) for each in (comm, Comm()))
    if comm.rank == 0:
        assert all((a == b).all() for a, b in zip(here, alone, strict=True))
        assert [part.shape for part in here] == [(350, 9), (350, 9), (90,)] and here[2].min() > 0


@pytest.mark.parallel([3])
def test_what_one_rank_refuses_all_do():
    with telling(InputError, "flow.search", "kernel.name"):
        solved(world(), Gaussian(1.0), False)
