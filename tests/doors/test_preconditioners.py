"""A preconditioner of a user's: run, resumed on other ranks, planned, evaluated; and what does not suit is refused."""

import pytest
from dropping import begin, holds
from facts import telling

import mpiflow as library
from mpiflow import config
from mpiflow.errors import InputError

GRADED = '''
from mpiflow.preconditioners import Preconditioner


class Graded(Preconditioner):
    """The gradient over (1 + k)^power, k the degree of a function."""

    power: float = 1.0

    def frozen(self, flow, state):
        return lambda gradient: gradient / (1.0 + flow.features.degrees) ** self.power
'''
RUN = """
[points]
train = 150
test = 60
[kernel]
name = "kaehler"
degree = 4
refreeze = 2
preconditioner = { name = "mine.py:Graded", power = 2.0 }
[flow]
steps = 4
dt = 0.02
"""


@pytest.fixture
def path(tmp_path):
    (tmp_path / "mine.py").write_text(GRADED)
    (tmp_path / "run.toml").write_text(RUN)
    return tmp_path / "run.toml"


def test_a_dropped_preconditioner_is_flowed(path):
    begin(path)
    model = holds(path)
    assert model.config.kernel.preconditioner.power == 2.0
    assert model.history["history/loss"][-1] < model.history["history/loss"][0]


def test_it_may_have_fewer_points_than_features(path):
    few = config.read(path, ["points.train=10"])
    assert not few.kernel.preconditioner.factorises


@pytest.mark.parametrize(
    ("override", "facts"),
    [
        (
            "kernel.preconditioner.powr=1",
            ("kernel.preconditioner.powr", "name, power"),
        ),
        (
            "kernel.preconditioner=jacobi",
            ('kernel.preconditioner = "jacobi"', "curvature, diagonal, family, natural, plain, reweighted, ricci"),
        ),
        ("kernel.preconditioner=mine.py:Other", ("Other", "Graded")),
    ],
)
def test_what_is_no_preconditioner_is_one_line(path, override, facts):
    with telling(InputError, *facts):
        config.read(path, [override])


@pytest.mark.parametrize(
    ("frozen", "facts"),
    [
        ("lambda gradient: gradient[:-1]", ("float64[3]", "float64[4]")),
        ("lambda gradient: 1j * gradient", ("complex128[4]", "float64[4]")),
        ("None", ("frozen", "None")),
    ],
)
def test_what_gives_no_direction_is_one_line(path, frozen, facts):
    head, _, _ = GRADED.partition("return")
    path.with_name("mine.py").write_text(f"{head}return {frozen}\n")
    with telling(InputError, f'kernel.preconditioner = "{path.parent}/mine.py:Graded"', *facts):
        library.run(path)
