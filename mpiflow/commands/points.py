"""Points for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mpiflow.commands.words import Force, Overrides, RunFile, path_of


def points(
    config: RunFile,
    output: Annotated[
        Path, typer.Option("-o", "--output", parser=path_of, metavar="FILE", help="The file to write.")
    ] = "dataset.npz",  # type: ignore[assignment]  # Typer parses it too
    overrides: Overrides = None,
    force: Force = False,
) -> None:
    """Write the train and test points of a run file as cymetric's dataset.npz; points.file reads such files back.

    They are the points that `mpiflow run` takes, in the same order, with their weights and |Omega|^2. A file that is there
    already is left alone without --force, and one that is read is never replaced.
    """
    from mpiflow import cymetric, sampling
    from mpiflow.comm import Comm
    from mpiflow.config import read
    from mpiflow.files.claims import output_file
    from mpiflow.screen import answer

    settings = read(config, overrides)
    settings.on_points("mpiflow points")
    wanted = settings.points
    path = output_file(output, (config, wanted.place), force)
    surface = settings.surface()
    chart = None if wanted.chart == "all" else wanted.chart
    train, test = (
        sampling.sample(Comm(), surface, total, settings.run.seed, stream, chart)[1]
        for total, stream in ((wanted.train, sampling.TRAIN), (wanted.test, sampling.TEST))
    )
    cymetric.write(path, surface, train, test)
    answer(f"{output}: {len(train)} train and {len(test)} test points")


COMMANDS = {110: points}
