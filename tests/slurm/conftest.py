"""The Slurm tests run where a Slurm answers, and say why where none does."""

import pytest
from cluster import unreachable

from jobs import mpiflow, result, small


@pytest.fixture(scope="session")
def _reason():
    return unreachable()


@pytest.fixture(autouse=True)
def _slurm(request, _reason):
    if _reason and request.node.get_closest_marker("slurm"):
        pytest.skip(_reason)


@pytest.fixture(scope="session")
def local(tmp_path_factory, _reason):
    """The small run on one rank without Slurm: run file and result."""
    folder = tmp_path_factory.mktemp("local")
    config = small(folder)
    done = mpiflow("run", config, "-o", folder / "run")
    assert done.returncode == 0, done.stderr
    return config, result(folder / "run")
