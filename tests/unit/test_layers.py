"""The layers of the house, read off the imports (architecture, Layers)."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "mpiflow"
FILES = sorted(path for path in ROOT.rglob("*.py"))

#: Third-party modules that one room alone may import.
ONLY = {
    "mpi4py": {"comm"},
    "cupy": {"backend"},
    "h5py": {"state"},
    "matplotlib": {"screen", "paper", "scaling", "tune"},
    "optuna": {"tune"},
    "jax": {"network"},
    "optax": {"network"},
}
#: Rooms of pure mathematics: arrays in, arrays out.
PURE = ("ansatz", "geometry", "grids", "kernels", "losses", "hermitian", "vector")
#: What the rooms may not know of.
FORBIDDEN = {
    **{room: {"comm", "state", "job", "config", "cli", "time", "os", "engine", "flows", "ranks"} for room in PURE},
    "engine": {"comm", "state", "job", "config", "cli", "flows"},
    "modes": {"comm", "state", "job", "config", "cli", "flows", "plan"},
    "clustering": {"state", "job", "config", "cli", "flows"},
    "state": {"belief", "geometry", "kernels", "engine", "clustering", "flows", "job", "config", "cli"},
    "flows": {"state", "job", "config", "cli"},
    "network": {"state", "job", "config", "cli", "time"},
    "ranks": {"state", "job", "config", "cli", "flows", "clustering"},
}

#: Of the geometry, what others may know: what a manifold is, what of a metric no manifold matters to, and the families by
#: which a run file names one. The feature spaces know polynomials and their symmetry, too.
SHARED = {"domain", "projective", "curvature", "chern", "kaehler", "families"}
FEATURES = {"kernels": {"polynomial", "symmetry"}}


def room(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[0]


def imports(path):
    """Names of the imported modules; those of mpiflow without its name, and with what is imported from them."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.name.split(".")[0] if not name.name.startswith("mpiflow.") else name.name.split(".")[1]
        elif isinstance(node, ast.ImportFrom) and node.module:
            head, *rest = node.module.split(".")
            if head != "mpiflow":
                yield head
            elif rest:
                yield rest[0]
            else:
                yield from (name.name for name in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_keep_to_the_layers(path):
    found = set(imports(path))
    for module, rooms in ONLY.items():
        assert module not in found or room(path) in rooms, f"only {rooms} may import {module}"
    assert not found & FORBIDDEN.get(room(path), set()), f"{room(path)} may not know {found}"


@pytest.mark.parametrize("room", ["paper", "tune", "scaling"])
def test_one_piece_of_code_draws_points_builds_flows_and_steps_them(room):
    builds = re.compile(r"registry\.of\(.*\)\.(flow|predictor)\(")
    assert not [path for path in (ROOT / room).glob("*.py") if builds.search(path.read_text())]
    assert builds.search((ROOT / "job" / "flowing.py").read_text())


def test_the_layers_would_notice():
    assert "mpi4py" in set(imports(ROOT / "comm.py"))
    assert "comm" in set(imports(ROOT / "ranks" / "shards.py"))


def parts(path):
    """Modules of the geometry that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        names = [node.module, *(f"{node.module}.{name.name}" for name in node.names)] if _from(node) else []
        names += [name.name for name in node.names] if isinstance(node, ast.Import) else []
        yield from (name.split(".")[2] for name in names if name.startswith("mpiflow.geometry."))


def _from(node):
    return isinstance(node, ast.ImportFrom) and node.module


@pytest.mark.parametrize("path", [path for path in FILES if room(path) != "geometry"], ids=str)
def test_what_a_manifold_is_made_of_is_known_to_the_geometry_alone(path):
    found = set(parts(path)) - {"__init__"}
    assert found <= SHARED | FEATURES.get(room(path), set()), f"ask the domain for what is in {found}"


@pytest.mark.parametrize("name", ["domain", "projective", "curvature", "kaehler"])
def test_what_of_a_metric_no_manifold_matters_to_knows_none(name):
    found = set(parts(ROOT / "geometry" / f"{name}.py"))
    assert found <= {"domain", "projective", "symmetry"}


def test_the_geometry_would_be_noticed(tmp_path):
    for line in ("from mpiflow.geometry import charts", "from mpiflow.geometry.lines import meet"):
        (tmp_path / "x.py").write_text(line)
        assert set(parts(tmp_path / "x.py")) & {"charts", "lines"}
