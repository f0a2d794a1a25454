"""What documents and docstrings name, and whether it is there: sections, equations, files, functions, keys, commands."""

from __future__ import annotations

import ast
import re
import shlex
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import UnionType
from typing import Annotated, Union, get_args, get_origin

from pydantic import BaseModel
from typer.main import get_command

import mpiflow as library
from mpiflow.cli import app
from mpiflow.doors import own
from mpiflow.settings.whole import Config

ROOT = Path(__file__).parents[1]
ROOM = ROOT / "mpiflow"
DOCS = ROOM / "docs"

#: Where a document may count paths from, besides its own folder.
_BASES = (ROOT, ROOM, ROOT / "slurm", ROOT / "tests" / "unit", ROOT / "tests" / "benchmarks")
#: What runs, installs and users make: not in a checkout. Words in capitals stand for a name.
_MADE = re.compile(
    r"runs/|\.venv/|^report/$|dataset\.npz|state-.*\.h5|best\.toml|(status|summary)\.json|run\.lock|site\.env$|^[A-Z]+\.toml|^quickstart\.toml|^mine\.py"
)
_ENDINGS = (".py", ".md", ".toml", ".sbatch", ".png", ".env", ".json", ".h5", ".npz", ".lock", ".html")
_HEADS = ("scripts/", "jobs/", "slurm/", "tests/", "mpiflow/")
_NUMBER = r"(?:app\. [A-Z]|sections? \d(?:\.\d+)*|[A-Z]\.\d+|\d(?:\.\d+)+)"


def matches(pattern: str, paths) -> dict[str, str]:
    """What a pattern's group matches in files, and one of the files where it does."""
    return {match: str(path.relative_to(ROOT)) for path in paths for match in re.findall(pattern, path.read_text())}


def equations(text: str) -> set[str]:
    """Equations and sections that "HR 3.5", "HR 2.9 - 2.12, B.11" or "HR app. B" name, ranges filled up."""
    found = set()
    for group in re.findall(rf"\bHR ({_NUMBER}(?:(?:, | - | and )(?:HR )?{_NUMBER})*)", " ".join(text.split())):
        numbers = [number.split(" ")[-1] for number in re.findall(_NUMBER, group)]
        found |= set(numbers)
        for (first, last), between in zip(pairwise(numbers), re.split(_NUMBER, group)[1:-1], strict=True):
            if between == " - ":
                (head, low), (_, high) = (number.rsplit(".", 1) for number in (first, last))
                found |= {f"{head}.{k}" for k in range(int(low), int(high))}
    return found


def first_cells(name: str, heading: str) -> list[str]:
    """First cells of the table below a heading of one of our documents."""
    text = (DOCS / name).read_text().split(f"\n## {heading}", 1)[1].split("\n## ", 1)[0]
    return [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ")]


def names(path: Path) -> list[str]:
    """Words in backticks and in blocks of code that look like paths, with what follows a colon."""
    words = [word for code in _quoted(path.read_text()) for word in code.split()]
    words += [word for block in _blocks(path.read_text()) for word in re.findall(r"[\w./*-]+", block)]
    words = [word.strip(",;()\"'") for word in words]
    paths = [
        w for w in words if w.split(":")[0].endswith(_ENDINGS) or w.startswith(_HEADS) or re.fullmatch(r"[a-z_]+/", w)
    ]
    return [word for word in paths if not _MADE.search(word) and not re.search(r"[*{}$<>]", word)]


def there(name: str, folder: Path) -> bool:
    """Whether a path exists, from a known place or beside its document; and in it what is named after its colon."""
    path, _, function = name.partition(":")
    found = next((base / path for base in (*_BASES, folder) if (base / path).exists()), None)
    return found is not None and (not function or function in _defined(found))


@cache
def keys() -> set[str]:
    """All section.key of a run file."""
    fields = Config.model_fields.items()
    found = {(name, key) for name, field in fields for model in _models(field.annotation) for key in model.model_fields}
    doors = [
        own.doors(model)
        for model in (Config, *(m for field in Config.model_fields.values() for m in _models(field.annotation)))
    ]
    for door in (door for through in doors for _, door in through):
        section = door.key.rpartition(".")[0] if door.table else door.key
        found |= {(section, key) for kind in door.known().values() for key in (kind.key, *kind.model_fields)}
    return {f"{name}.{key}" for name, key in found}


def named_keys(text: str) -> set[str]:
    """Words of a document that are to be keys of a run file: section.key, or `key = value`."""
    found = re.findall(r"(?<![\w./-])([a-z]+\.[a-z_]+)(?==| = |`)", text)
    whole = {key for key in found if key.split(".")[0] in Config.model_fields and not key.endswith(_ENDINGS)}
    return {key for key in whole if not is_name(key)} | set(re.findall(r"`\[?([a-z_]+) = [^`]+`", text))


def is_name(dotted: str) -> bool:
    """Whether a dotted name below mpiflow is a room, a module, or something in one."""
    parts = dotted.removeprefix("mpiflow.").split(".")
    for cut in range(len(parts), 0, -1):
        base, rest = ROOM.joinpath(*parts[:cut]), ".".join(parts[cut:])
        file = base.with_suffix(".py") if base.with_suffix(".py").exists() else base / "__init__.py"
        if file.exists():
            return not rest or rest in _defined(file)
    return dotted in {f"mpiflow.{name}" for name in library.__all__}


def is_name_near(path: Path, dotted: str) -> bool:
    """Whether a dotted name is one below mpiflow or below any of its rooms, as docstrings shorten it, or a file beside."""
    below = [(*path.relative_to(ROOM).parts[:-1], dotted), (dotted,)]
    below += [(room.name, dotted) for room in ROOM.iterdir() if room.is_dir()]
    return any(is_name(".".join(parts)) for parts in below) or there(dotted, path.parent)


def docstrings(path: Path) -> str:
    """All docstrings of a file."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    return "\n".join(
        ast.get_docstring(node) or "" for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, kinds)
    )


def texts(path: Path) -> str:
    """All strings of a file but its docstrings."""
    tree = ast.parse(path.read_text())
    bodies = [node.body for node in ast.walk(tree) if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))]
    first = {id(body[0].value) for body in bodies if body and isinstance(body[0], ast.Expr)}
    strings = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return "\n".join(node.value for node in strings if id(node) not in first)


def commands(text: str) -> list[str]:
    """Lines "mpiflow COMMAND ..." in blocks of code, in backticks, and in bold of help texts."""
    text = text.replace("\\\n", " ")
    lines = [line for block in _blocks(text) for line in block.splitlines()]
    lines += _quoted(text) + re.findall(r"\[bold\](.*?)\[/bold\]", text)
    found = [re.search(r"(?:^|[\s/])mpiflow (?=[a-z])([^;|]*)", line.split("#")[0]) for line in lines]
    return ["mpiflow " + line[1] for line in found if line and not re.search(r"pip install|git clone", line.string)]


def mistakes(line: str) -> list[str]:
    """What is wrong with a command line: no such command, option, run file or key."""
    known, words = _program().commands, shlex.split(line)[1:]
    if words[0] not in known:
        return [f"{line}: no command {words[0]}"]
    options = {name for parameter in known[words[0]].params for name in [*parameter.opts, *parameter.secondary_opts]}
    wrong = [word for word in words if word.startswith("-") and word.split("=")[0] not in options | {"--help", "-h"}]
    wrong += [
        word for word in words if word.endswith(".toml") and not _MADE.search(word) and not (ROOT / word).exists()
    ]
    wrong += [after for word, after in pairwise(words) if word == "--set" and after.split("=")[0] not in keys()]
    return [f"{line}: {word}" for word in wrong]


def help_texts() -> list[str]:
    """The help of the program and of each command."""
    root = _program()
    return [text.replace("\\[", "[") for each in (root, *root.commands.values()) if (text := each.help)]


@cache
def _program():
    return get_command(app)


def _blocks(text: str) -> list[str]:
    return re.findall(r"```\w*\n(.*?)```", text, re.S)


def _quoted(text: str) -> list[str]:
    return re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text)


@cache
def _defined(path: Path) -> set[str]:
    """Functions, classes, constants and imports at the top of a file, and Class.attribute."""
    found = set()
    for node in ast.parse(path.read_text()).body if path.suffix == ".py" else ():
        found |= _own_names(node)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{name}" for item in node.body for name in _own_names(item)}
        if isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name for alias in node.names}
    return found


def _own_names(node: ast.stmt) -> set[str]:
    targets = [*getattr(node, "targets", ()), getattr(node, "target", None)]
    targets = [item for target in targets for item in getattr(target, "elts", [target])]
    return {node.name} if hasattr(node, "name") else {target.id for target in targets if isinstance(target, ast.Name)}


def _models(annotation) -> list[type[BaseModel]]:
    if get_origin(annotation) in (Annotated, Union, UnionType):
        return [model for part in get_args(annotation) for model in _models(part)]
    return [annotation] if isinstance(annotation, type) and issubclass(annotation, BaseModel) else []
