"""A functional of a user's: run under components, potentials and networks, and refused where its slope is wrong."""

import numpy as np
import pytest
from dropping import begin, holds
from facts import telling
from inside import mpiflow as inside
from inside import refused

from mpiflow import config
from mpiflow.errors import InputError
from mpiflow.functionals.functional import of_etas

QUARTIC = '''
import numpy as np

from mpiflow.functionals import Functional


class Quartic(Functional):
    """l = (1 - eta)^2 + weight (1 - eta)^4."""

    weight: float = 1.0

    def value(self, eta, xp=np):
        return (1 - eta) ** 2 + self.weight * (1 - eta) ** 4

    def slope(self, eta):
        return 2 * (eta - 1) + 4 * self.weight * (eta - 1) ** 3
'''

RUN = """
[points]
train = 150
test = 60
[flow]
steps = 4
dt = {dt}
{table}
{moved}
[flow.loss]
name = "mine.py:Quartic"
weight = 0.5
"""
MOVED = {
    "components": (0.02, '[kernel]\nname = "gaussian"\nwidth = 0.4', 'normalisation = "row"'),
    "potentials": (0.3, '[kernel]\nname = "kaehler"\ndegree = 4', ""),
    "network": (0.005, '[network]\nkind = "additive"\nwidth = 16\nbatch = 50', ""),
}


def written(folder, moved, text=QUARTIC):
    dt, table, more = MOVED[moved]
    (folder / "mine.py").write_text(text)
    (folder / "run.toml").write_text(RUN.format(dt=dt, table=more, moved=table))
    return folder / "run.toml"


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """A run file of each kind, begun on two ranks."""
    paths = {moved: written(tmp_path_factory.mktemp(moved), moved) for moved in MOVED}
    begin(*paths.values())
    return paths


@pytest.mark.parametrize("moved", MOVED)
def test_a_dropped_functional_is_flowed(moved, begun):
    model = holds(begun[moved])
    assert model.config.flow.loss.weight == 0.5
    assert model.history["history/loss"][-1] < model.history["history/loss"][0]


WRONG = {
    "slope": (QUARTIC.replace("2 * (eta - 1) +", "3 * (eta - 1) +"), "slope(1.6) = 2.232", 1.632),
    "NaN": (QUARTIC.replace("** 2 +", "** 2 + np.log(eta - 1) +"), "value(0.3) = nan"),
    "no value": (QUARTIC.replace("def value", "def values"), "value(self, eta, xp=np)"),
    "no class": ("", "Functional"),
    "unknown key": (QUARTIC.replace("weight: float", "heavy: float"), "flow.loss.weight", "name, heavy"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_functional_is_one_line(case, tmp_path):
    text, *facts = WRONG[case]
    with telling(InputError, *facts) as refusal:
        config.read(written(tmp_path, "components", text))
    assert str(refusal.value).count("flow.loss") == 1 and "NotImplementedError" not in str(refusal.value)


LATE = {
    "fewer": ("[:-1]", "float64[59]", "float64[60]"),
    "a column": ("[:, None]", "float64[60, 1]", "float64[60]"),
    "complex": (" + 1j", "complex128[60]", "float64[60]"),
    "a number": (".sum().item()", "float", "float64[60]"),
    "NaN": (" * np.nan", "1.5", "nan"),
}


def _later(verb, late):
    """The loss, one verb of which is another for many etas."""
    return (
        QUARTIC.replace(f"def {verb}(", f"def early_{verb}(")
        + f"""
    def {verb}(self, eta, *xp):
        found = self.early_{verb}(eta, *xp)
        return found if eta.size <= 28 else (found){late}
"""
    )


@pytest.mark.parametrize("verb", ["value", "slope"])
@pytest.mark.parametrize("case", LATE)
def test_what_is_no_loss_of_many_etas_is_one_line(case, verb, tmp_path):
    """It was tried on 28."""
    late, *facts = LATE[case]
    loss = config.read(written(tmp_path, "components", _later(verb, late))).flow.loss
    with telling(InputError, "flow.loss", "mine.py:Quartic", verb, *facts):
        of_etas(loss, verb, np.full(60, 1.5))


def test_a_network_s_loss_of_numpy_s_functions_is_told_of_xp(tmp_path):
    path = written(tmp_path, "network", QUARTIC.replace("(1 - eta) ** 2", "np.square(1 - eta)"))
    refused(inside(["run", str(path), "-o", "run"], tmp_path), "mine.py", "xp", "np")


@pytest.mark.parametrize("moved", MOVED)
def test_every_flow_holds_a_loss_to_it(moved, tmp_path):
    path = written(tmp_path, moved, _later("value", "[:-1]"))
    refused(inside(["run", str(path), "-o", "run"], tmp_path), "flow.loss", "value")


def test_an_unknown_functional_is_told_with_those_there_are():
    table = {"kernel": {"name": "gaussian", "width": 0.3}, "flow": {"dt": 0.1, "loss": "quartic"}}
    known = "calabi, calabi-projected, j, j-omega, kl, log, mabuchi, monge-ampere"
    with telling(InputError, 'flow.loss = "quartic"', known):
        config.check(table, "x.toml")
