"""The figures and tables of the paper."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mpiflow.commands.words import Quiet


def paper(
    name: Annotated[str, typer.Argument(help="The figure: see the list above.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the pictures.")] = Path("runs/paper"),
    size: Annotated[str, typer.Option(help="laptop, node or cluster, or a number of points.")] = "laptop",
    quiet: Quiet = False,
) -> None:
    """Measure one figure or table of the paper: draws its picture and prints its numbers beside the paper's.

    clustering, clustering-error, distance, delta, kernels-revisited.
    """
    from mpiflow.comm import world
    from mpiflow.paper import figure, points
    from mpiflow.screen import Screen

    comm = world()
    chosen = figure(name)
    chosen.run(comm, output, points(chosen, size), Screen(comm.rank, quiet).say)
