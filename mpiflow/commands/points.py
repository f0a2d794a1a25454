"""Points for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mpiflow.commands.words import Overrides, RunFile


def points(
    config: RunFile,
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write.")] = Path("dataset.npz"),
    overrides: Overrides = None,
) -> None:
    """Write the train and test points of a run file as cymetric's dataset.npz; points.file reads such files back.

    They are the points that `mpiflow run` takes, in the same order, with their weights and |Omega|^2.
    """
    from mpiflow import cymetric, sampling
    from mpiflow.comm import Comm
    from mpiflow.config import read
    from mpiflow.errors import WriteError

    settings = read(config, overrides)
    surface, wanted = settings.surface(), settings.points
    chart = None if wanted.chart == "all" else wanted.chart
    train, test = (
        sampling.sample(Comm(), surface, total, settings.run.seed, stream, chart)[1]
        for total, stream in ((wanted.train, sampling.TRAIN), (wanted.test, sampling.TEST))
    )
    try:
        cymetric.write(output, surface, train, test)
    except OSError as error:
        raise WriteError(f"{output}: {error.strerror}; choose another file with -o") from None
    typer.echo(f"{output}: {len(train)} train and {len(test)} test points")
