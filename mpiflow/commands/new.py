"""What to begin from: run files, and the batch scripts of a cluster."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated

import typer

ROOM = Path(__file__).parents[1]
#: What `new slurm` writes; slurm/dev/ is for a checkout.
SCRIPTS = ("README.md", "*.sbatch", "site.env.example")


def new(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="One of those that are listed without it, e.g. quickstart.")
    ] = "",
) -> None:
    """Write a run file to begin from into this folder, or the batch scripts into slurm/; without a name, list them.

    Nothing that is there already is touched.
    """
    from mpiflow.errors import InputError
    from mpiflow.screen import answer

    jobs = known()
    name = name.removeprefix("jobs/").removesuffix(".toml").rstrip("/")
    if name == "slurm":
        for path in _written({Path("slurm") / source.name: source.read_text() for source in scripts()}):
            answer(f"{path}")
    elif name in jobs:
        (path,) = _written({Path(jobs[name].name): _moved(jobs[name])})
        answer(f"{path}: {_about(jobs[name])}")
    elif name:
        raise InputError(f"new {name}: no such run file; there are {', '.join([*jobs, 'slurm'])}")
    else:
        listed = {each: _about(source) for each, source in jobs.items()}
        listed["slurm"] = "The batch scripts of a cluster, with a page that says how to use them"
        width = max(map(len, listed))
        answer("\n".join(f"{each:{width}}  {about}" for each, about in listed.items()))


def known() -> dict[str, Path]:
    """The run files and recipes of jobs/ by their names, those of the top first; .toml goes without saying."""
    found = (path for pattern in ("*.toml", "*.py", "*/**/*.toml") for path in sorted((ROOM / "jobs").glob(pattern)))
    return {str(path.relative_to(ROOM / "jobs")).removesuffix(".toml"): path for path in found}


def scripts() -> list[Path]:
    """The batch scripts, and what belongs to them."""
    return [path for pattern in SCRIPTS for path in sorted((ROOM / "slurm").glob(pattern))]


def _written(files: dict[Path, str]) -> list[Path]:
    """Write these, all or none. Raises InputError where one has a name that is taken, be it by a dangling link."""
    from mpiflow.errors import InputError
    from mpiflow.files import put
    from mpiflow.files.claims import inner

    for path in files:
        if os.path.lexists(path):
            raise InputError(f"{path}: is there already, and stays as it is; move it away, or begin in another folder")
    for path, text in files.items():
        if path.parent != Path():
            inner(Path(), str(path.parent))
        put(path, text)
    return list(files)


def _moved(source: Path) -> str:
    """The text of a run file, which names itself as it is called in its new place."""
    return source.read_text().replace(f"jobs/{source.relative_to(ROOM / 'jobs')}", source.name)


def _about(source: Path) -> str:
    """The beginning of what a file says of itself, up to the first stop."""
    comment = re.match(r'(?:# ?[^\n]*\n)+|"""[^"]*', source.read_text())
    words = " ".join(re.sub(r'^(?:# ?|""")', "", comment[0], flags=re.M).split())
    return re.split(r"[.:](?:\s|$)", words)[0]


COMMANDS = {5: new}
