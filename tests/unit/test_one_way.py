"""One room writes files and one shows text: any other way of doing either is found in the syntax of mpiflow."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "mpiflow"
FILES = sorted(ROOT.rglob("*.py"))
#: Names whose call writes, moves or makes a file, whatever they are called on.
WRITES = {
    *(
        "write_text",
        "write_bytes",
        "savefig",
        "savez",
        "savez_compressed",
        "savetxt",
        "tofile",
        "dump",
        "touch",
        "rename",
    ),
    *("symlink_to", "hardlink_to", "mkstemp", "NamedTemporaryFile", "TemporaryFile", "mkfifo", "truncate", "sendfile"),
    *("copy2", "copyfile", "copytree", "rmtree", "move", "pwrite", "ftruncate", "link", "symlink", "creat"),
}
#: Functions of the os that write; other modules have innocent ones of these names.
OS_WRITES = {"open", "write", "replace", "rename", "unlink", "remove"}
#: Of h5py's inner interface, which opens what is in an open file.
HDF5 = {"h5o", "h5a", "h5d", "h5g"}
SHOWS = {"print", "echo", "secho", "Console", "pprint"}
#: What is not a file of ours or not on a disk, each with its reason.
KNOWN = {
    ("job/folder.py", "rename"): "moves what a run left aside, and an edited run.toml",
    ("tune/journal.py", "open"): "cuts a torn line off Optuna's journal, under its lock",
    ("tune/journal.py", "truncate"): "the same",
    ("screen/streams.py", "os.open"): "/dev/null in place of a stream that is gone",
    ("cymetric.py", "savez_compressed"): "into memory",
    ("screen/picture.py", "savefig"): "into memory",
}


def ways(path: Path) -> Iterator[tuple[int, str]]:
    """(line, name) of every call that writes a file or shows text."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and node.attr in ("stdout", "stderr") and _name(node.value) == "sys":
            yield node.lineno, f"sys.{node.attr}"
        if not isinstance(node, ast.Call):
            continue
        name, owner = _name(node.func), _name(getattr(node.func, "value", None))
        if owner == "os" and name in OS_WRITES and "O_RDONLY" not in ast.unparse(node):
            yield node.lineno, f"os.{name}"
        elif name in WRITES | (SHOWS if owner in (None, "typer", "click", "rich", "console") else set()):
            yield node.lineno, name
        elif (name == "open" and owner not in HDF5 | {"os"} and _writes(node, 0 if owner else 1)) or (
            name == "File" and _writes_hdf5(node)
        ):
            yield node.lineno, name
        elif name == "replace" and owner and len(node.args) == 1 and not node.keywords:
            yield node.lineno, "replace"  # a Path's; a str's takes two arguments


def _name(node: ast.AST | None) -> str | None:
    return getattr(node, "attr", getattr(node, "id", None))


def _writes(call: ast.Call, place: int) -> bool:
    """Whether the mode of an open is one that writes, or cannot be seen."""
    found = [word.value for word in call.keywords if word.arg == "mode"] + call.args[place : place + 1]
    return any(not isinstance(mode, ast.Constant) or bool(set("wax+") & set(str(mode.value))) for mode in found)


def _writes_hdf5(call: ast.Call) -> bool:
    return _writes(call, 1) and _name(call.args[0]) != "memory"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_one_room_writes_and_one_shows(path):
    here = str(path.relative_to(ROOT))
    found = [(line, name) for line, name in ways(path) if (here, name) not in KNOWN]
    if here.startswith("files/"):
        found = [(line, name) for line, name in found if name in SHOWS]
    if here.startswith("screen/"):
        found = [(line, name) for line, name in found if name not in SHOWS and not name.startswith("sys.")]
    # Removing is no writing: what is removed is ours by its name.
    found = [(line, name) for line, name in found if name not in ("os.unlink", "os.remove")]
    assert not found, f"{here}: {found}: write through mpiflow.files, show through mpiflow.screen"


def test_what_is_known_is_there():
    for here, name in KNOWN:
        assert name in {found for _, found in ways(ROOT / here)}, (here, name)


@pytest.mark.parametrize(
    "line",
    [
        'open(p, "w")',
        'open(p, mode="ab")',
        "open(p, how)",
        'p.open("r+")',
        "p.write_text(s)",
        "p.replace(q)",
        "os.replace(p, q)",
        "np.savez(p, a=a)",
        'h5py.File(p, "w")',
        "shutil.move(p, q)",
        "json.dump(o, f)",
        "print(s)",
        "typer.echo(s)",
        "sys.stderr.write(s)",
        "Console().print(s)",
    ],
)
def test_every_way_would_be_noticed(line, tmp_path):
    path = tmp_path / "case.py"
    path.write_text(line)
    assert list(ways(path))
    path.write_text(
        'open(p, "rb"); p.open(); s.replace("a", "b"); h5py.File(memory, "w"); h5py.File(p, "r"); comm.log.open'
    )
    assert not list(ways(path))
