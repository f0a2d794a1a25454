"""The rooms that ask a kernel what it can do name none and tell none apart: read off their syntax."""

import ast
from pathlib import Path

import pytest

from mpiflow.kernels import registry

ROOT = Path(__file__).parents[2] / "mpiflow"
ROOMS = ("engine", "plan", "tune", "scaling", "settings", "commands", "clustering", "flows", "belief")
FILES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
FILES += [ROOT / f"{name}.py" for name in ("run", "predictor", "build", "config", "coupling")]
#: Kernels by the names of run files, and their classes.
NAMES = set(registry.known())
CLASSES = {kind.__name__ for kind in registry.known().values()} | {"Kernel"}


def named(text):
    """(line, name) of every kernel that a text names, and of every isinstance of one."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and node.value in NAMES:
            yield node.lineno, node.value
        found = getattr(node, "attr", getattr(node, "id", getattr(node, "name", None)))
        if found in CLASSES - {"Kernel"}:
            yield node.lineno, found
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) in ("isinstance", "issubclass"):
            kinds = {name.id for name in ast.walk(node.args[1]) if isinstance(name, ast.Name)}
            if kinds & CLASSES:
                yield node.lineno, ast.unparse(node)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_names_no_kernel(path):
    assert not list(named(path.read_text()))


@pytest.mark.parametrize(
    "line", ['kernel.name == "relu"', "isinstance(k, Gaussian)", "isinstance(k, (int, Kernel))", "from a import Delta"]
)
def test_every_way_would_be_noticed(line):
    assert list(named(line))
