"""The rooms that ask what moves the metric what it can do name none and tell none apart: read off their syntax."""

import ast
from pathlib import Path

import pytest

from mpiflow.methods import registry

ROOT = Path(__file__).parents[2] / "mpiflow"
ROOMS = ("engine", "modes", "plan", "tune", "scaling", "settings", "commands", "clustering", "belief", "job")
FILES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
FILES += [ROOT / f"{name}.py" for name in ("predictor", "config", "coupling", "measures")]


def classes(*rooms):
    """Names of the classes of some rooms that are kinds: kernels, features, flows, predictors."""
    trees = [ast.parse(path.read_text()) for room in rooms for path in (ROOT / room).rglob("*.py")]
    found = {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    return {name for name in found if name.endswith(("Flow", "Predictor", "Kernel"))}


#: Names of kernels in run files, and of methods. (A table of a run file is called [network].)
NAMES = {*registry.KERNELS.known(), "components", "potentials"}
#: Classes that no room names, and those that none asks for by isinstance.
CLASSES = {kind.__name__ for kind in registry.KERNELS.known().values()} | classes("flows", "network", "methods")
CLASSES = CLASSES | {"Invariants", "Sections"}
BASES = {"Flow", "Kernel", "Kind", "Predictor", "Network"}


def named(text):
    """(line, name) of every kind that a text names, and of every isinstance of one."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and node.value in NAMES:
            yield node.lineno, node.value
        found = getattr(node, "attr", getattr(node, "id", getattr(node, "name", None)))
        if found in CLASSES - BASES:
            yield node.lineno, found
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) in ("isinstance", "issubclass"):
            kinds = {name.id for name in ast.walk(node.args[1]) if isinstance(name, ast.Name)}
            if kinds & (CLASSES | BASES):
                yield node.lineno, ast.unparse(node)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_names_no_kind(path):
    assert not list(named(path.read_text()))


@pytest.mark.parametrize(
    "line",
    [
        'kernel.name == "relu"',
        'config.method == "kaehler"',
        "isinstance(k, Gaussian)",
        "isinstance(k, (int, Kernel))",
        "from a import Delta",
        "KaehlerFlow(x)",
        "isinstance(p, KaehlerPredictor)",
    ],
)
def test_every_way_would_be_noticed(line):
    assert list(named(line))
