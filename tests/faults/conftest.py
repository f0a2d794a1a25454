"""Quick or full: `scripts/fault-campaign` sets MPIFLOW_FAULTS=full, and reads what each test tried from its report."""

from __future__ import annotations

import driver
import pytest
from states import ATTRIBUTES, same, small_arrays

from mpiflow.state import commit


@pytest.fixture
def full() -> bool:
    """Whether every row is tried with its full count."""
    return driver.FULL


@pytest.fixture(scope="session")
def job(tmp_path_factory):
    """The run file of the runs that are hurt."""
    return driver.write_job(tmp_path_factory.mktemp("job"))


@pytest.fixture(scope="session")
def unhurt(job, tmp_path_factory):
    """The numbers of the run that nobody hurt, on 2 ranks."""
    folder = tmp_path_factory.mktemp("unhurt") / "run"
    driver.finish(job, folder)
    return driver.numbers(folder)


@pytest.fixture
def row(record_property):
    """Tell the campaign what was done and how often: `row("torn file", "cut at random", "detected", 80)`."""

    def tell(name: str, how: str, outcome: str, count: int = 1) -> None:
        record_property("row", f"{count}|{name}|{how}|{outcome}")

    return tell


@pytest.fixture
def older_and_newer(tmp_path):
    """Two states: the path of step 1, whose arrays are small_arrays(1), and that of step 2."""
    return [commit.write(tmp_path, step, small_arrays(step), ATTRIBUTES) for step in (1, 2)]


@pytest.fixture
def is_older():
    """Whether a state is step 1 of `older_and_newer`, bit for bit."""
    return lambda state: state.step == 1 and same(state.arrays, small_arrays(1))
