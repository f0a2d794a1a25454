"""The figures and tables of the paper."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mpiflow.commands.words import Force, Quiet, path_of
from mpiflow.paper.registry import titles


def paper(
    name: Annotated[str, typer.Argument(help="A figure from the list above or a file of one; or all, or report.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", parser=path_of, metavar="FOLDER", help="Folder of pictures and records.")
    ] = "runs/paper",  # type: ignore[assignment]  # Typer parses it too
    size: Annotated[str, typer.Option(help="laptop, node or cluster, or a number of points.")] = "laptop",
    seed: Annotated[int, typer.Option(min=1, help="Of the points of one figure.")] = 1,
    seeds: Annotated[int, typer.Option(min=1, help="Of all: how many, for the spread.")] = 1,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Measure one figure or table of the paper: draws its picture and prints its numbers beside the paper's.

    `all` makes every one of them, leaving out what is there already, and then the page; `report` makes the page of what is
    there. A figure that is there is shown again, and made anew with --force. mine.py is a figure of your own.
    """
    from mpiflow.comm import world
    from mpiflow.paper import everything, page, record
    from mpiflow.paper.registry import figure
    from mpiflow.screen import Screen

    comm = world()
    say = Screen(comm.rank, quiet).say
    failed: list[str] = []
    if name in ("all", "report"):
        comm.led(page.claim, output, force)
    if name == "all":
        failed = everything.make(comm, output, size, seeds, say, force)
    elif name != "report":
        wanted = figure(comm, name)
        # A user's figure may change the working directory.
        output = output.absolute() if wanted.sha256 else output
        count = wanted.points(size)
        found = record.there(comm, wanted, output, count, seed, force)
        if not found:
            record.made(comm, wanted, output, count, seed, say)
            return
        say(*found.lines, f"{found.path}: is there already; --force makes it anew")
        return
    _page(comm, output, say, force)
    raise typer.Exit(3 if failed else 0)


def _page(comm, folder: Path, say, force: bool) -> None:
    """Write the page, and say every verdict."""
    from mpiflow.paper import page

    with comm.lead() as mine:
        if mine:
            path, parts = page.write(folder, force)
            for part in parts:
                for verdict in part.verdicts:
                    spread = "" if verdict.spread is None else f" +- {verdict.spread:.1g}"
                    say(
                        f"{part.name}: {verdict.what}: paper {verdict.paper}, here {verdict.ours:.3g}{spread}: {verdict.text}"
                    )
            say(f"page: {path}")


#: The help lists what there is.
paper.__doc__ += "".join(f"\n\n    {name}: {title}" for name, title in titles().items())
COMMANDS = {100: paper}
