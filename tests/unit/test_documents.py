"""What the documents, the help and docstrings name is there."""

from __future__ import annotations

import ast
import re
from configparser import ConfigParser
from pathlib import Path

import pytest
from documents import (
    DOCS,
    ROOM,
    ROOT,
    commands,
    docstrings,
    equations,
    first_cells,
    help_texts,
    is_name,
    is_name_near,
    keys,
    matches,
    mistakes,
    named_keys,
    names,
    texts,
    there,
)

from mpiflow.batch import submit

#: Documents whose every name is checked.
READ = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "slurm" / "README.md", *sorted(DOCS.glob("*.md"))]
READ += [ROOT / "tests" / "benchmarks" / "RESULTS.md"]
#: Names of files that look like keys.
FILES = {"run.toml", "run.lock"}
#: What cites sections and equations.
CITING = [path for room in ("mpiflow", "tests", "jobs") for path in sorted((ROOT / room).rglob("*"))]
CITING = [p for p in CITING if p.suffix in (".py", ".toml") and p.name not in (Path(__file__).name, "documents.py")]


def each(paths):
    return pytest.mark.parametrize("path", paths, ids=lambda path: str(path.relative_to(ROOT)))


def test_every_cited_section_of_the_theory_is_there():
    numbers = set(re.findall(r"^## (\d+)\. ", (DOCS / "theory.md").read_text(), re.M))
    cited = matches(r"\btheory (\d+)", [*CITING, *READ])
    assert cited
    assert not {number: path for number, path in cited.items() if number not in numbers}
    assert not matches(r"(\(theory\b(?! \d)[^)]*\))", CITING), "cite the theory by section: (theory 3)"


def test_every_cited_heading_of_the_architecture_is_there():
    headings = set(re.findall(r"^## (.+)$", (DOCS / "architecture.md").read_text(), re.M))
    cited = matches(r"\(architecture, ([^)]+)\)", CITING)
    assert cited
    assert not {heading: path for heading, path in cited.items() if heading not in headings}


def test_the_architecture_names_every_room():
    rooms = {path.name + "/" * path.is_dir() for path in ROOM.iterdir() if not path.name.startswith("_")}
    named = {name for cell in first_cells("architecture.md", "Rooms") for name in re.findall(r"`([^`]+)`", cell)}
    assert named == rooms


def test_every_cited_document_is_there():
    cited = matches(r"([\w./-]*\w\.md)\b", CITING)
    assert not {name: path for name, path in cited.items() if not there(name, (ROOT / path).parent)}


def test_every_cited_equation_of_the_paper_is_in_a_document():
    known = {number for path in DOCS.glob("*.md") for number in equations(path.read_text())}
    tables = first_cells("architecture.md", "Where is equation") + first_cells("theory.md", "7. ")
    known |= {number for cell in tables for number in equations(f"HR {cell}")}
    cited = {number: path.name for path in [*CITING, *READ] for number in equations(path.read_text())}
    assert {"3.5", "B.11", "2.23"} <= cited.keys()
    assert not {number: name for number, name in cited.items() if number not in known}


def test_ranges_of_equations_are_read():
    text = "HR 2.9 - 2.11, 3.5 and B.11; HR section 3.1, app. B; (HR 3.2.4)"
    assert equations(text) == {"2.9", "2.10", "2.11", "3.5", "B.11", "3.1", "B", "3.2.4"}


@each(READ)
def test_every_file_and_function_is_there(path):
    assert not [name for name in names(path) if not there(name, path.parent)]
    links = re.findall(r"\]\(([^)\s]+)\)", path.read_text())
    assert not [link for link in links if "://" not in link and not (path.parent / link).exists()]


@each(READ)
def test_every_key_is_one_of_a_run_file(path):
    known = keys() | {key.split(".")[1] for key in keys()}
    assert not named_keys(path.read_text()) - known


@each(READ)
def test_every_command_has_its_options(path):
    assert not [wrong for line in commands(path.read_text()) for wrong in mistakes(line)]


def test_the_help_names_what_is_there():
    for text in help_texts():
        assert not [name for name in re.findall(r"\b(?:slurm|jobs|tests)/[\w./-]*\w", text) if not there(name, ROOT)]
        assert not [wrong for line in commands(text) for wrong in mistakes(line)]
        assert not named_keys(text) - keys()


def test_docstrings_name_modules_functions_and_keys():
    for path in sorted(ROOM.rglob("*.py")):
        quoted = re.findall(r"`([a-z_]+(?:\.\w+)+)`", docstrings(path))
        assert not [name for name in quoted if name not in keys() | {"section.key"} and not is_name_near(path, name)], (
            path
        )


def test_messages_name_keys_of_a_run_file():
    """An error that names a key which is not there sends its reader nowhere."""
    sections = "|".join({key.split(".")[0] for key in keys()})
    for path in sorted(ROOM.rglob("*.py")):
        named = set(re.findall(rf"(?<![\w./])((?:{sections})\.[a-z_]+)\b", texts(path)))
        assert not {key for key in named if not is_name(key) and key not in FILES} - keys(), path


def test_submit_looks_for_the_site_beside_its_example():
    assert submit.SITES[-1].with_name("site.env.example").exists()


def test_python_of_the_readme_asks_a_model_for_what_it_has():
    from mpiflow.predictor import Model

    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    asked = {name for block in blocks if ast.parse(block) for name in re.findall(r"\bmodel\.(\w+)", block)}
    assert {"metric", "eta"} <= asked
    assert not [name for name in asked if not hasattr(Model, name)]


@pytest.mark.parametrize("path", ["scripts/setup", "slurm/paper.sbatch"])
def test_python_of_a_script_imports_what_is_there(path):
    found = re.findall(r"-c '(.*?)'", (ROOT / path).read_text(), re.DOTALL)
    imports = [node for text in found for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
    ours = [node for node in imports if node.module.startswith("mpiflow")]
    assert ours
    for node in ours:
        exec(compile(ast.Module([node], []), path, "exec"), {})


def test_a_wheel_has_the_documents_the_run_files_and_the_batch_scripts():
    settings = ConfigParser()
    settings.read(ROOT / "setup.cfg")
    patterns = settings["options.package_data"]["mpiflow"].split()
    wanted = {path for room in ("docs", "jobs", "slurm") for path in _files(ROOM / room) if path.name != "site.env"}
    assert {path for pattern in patterns for path in ROOM.glob(pattern)} == wanted
    assert (ROOM / "jobs").resolve() == ROOT / "jobs" and (ROOM / "slurm").resolve() == ROOT / "slurm"


def _files(folder):
    return [path for path in folder.glob("**/*") if path.is_file() and path.suffix != ".pyc"]


def test_these_tests_would_notice(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "`flows/no.py` `losses.py:no` `tests/unit/test_no.py` `functionals/sigma.py:Sigma.slope` `geometry/` `flow.no` `no = 1`"
    )
    assert [name for name in names(page) if not there(name, tmp_path)] == [
        "flows/no.py",
        "losses.py:no",
        "tests/unit/test_no.py",
    ]
    assert named_keys(page.read_text()) == {"flow.no", "no"}
    for words in ("no", "run jobs/quickstart.toml --no", "run jobs/no.toml", "run jobs/delta.toml --set flow.no=1"):
        assert mistakes(f"mpiflow {words}")
    assert not mistakes("mpiflow run jobs/delta.toml --set flow.dt=1 -o runs/x --fresh")
    assert commands("```\nmpiexec -n 2 mpiflow run x.toml  # mpiflow no\n```") == ["mpiflow run x.toml  "]
    assert not is_name_near(ROOM / "losses.py", "kernels.no") and is_name_near(ROOM / "losses.py", "machine.Code")
