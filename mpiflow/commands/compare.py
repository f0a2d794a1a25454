"""Two runs beside each other."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from mpiflow.commands.words import Json, Quiet, RunPath


def compare(
    first: RunPath,
    second: RunPath,
    points: Annotated[int, typer.Option(help="Fresh points to compare at.")] = 2000,
    seed: Annotated[int, typer.Option(help="Seed of the fresh points.")] = 7,
    extrapolate: Annotated[bool, typer.Option(help="Points of all charts, not only of those that both know.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure how far apart the metrics of two runs on one manifold are, at the same fresh points of X.

    The difference of two degrees, seeds or methods is the error bar of a metric. Reports the mean and the largest relative
    difference, of the squared length of any tangent vector, with sigma and max |eta-1| of each.
    """
    from mpiflow.comm import world
    from mpiflow.job.evaluate import plain
    from mpiflow.job.report import difference_line, rendered
    from mpiflow.predictor import open_run
    from mpiflow.screen import answer, document

    comm = world()
    models = [open_run(path, comm) for path in (first.absolute(), second.absolute())]
    found = models[0].difference(models[1], points, seed, extrapolate)
    if as_json and comm.rank == 0:
        steps = [model.step for model in models]
        document({"steps": steps, "seed": seed, **asdict(found), "rows": [plain(row) for row in found.rows]})
    elif not as_json and comm.rank == 0 and not quiet:
        runs = zip(("first", "second"), (first, second), models, strict=True)
        title = "\n".join(f"{name}: {path}, step {model.step}" for name, path, model in runs)
        answer(rendered(list(found.rows), title, defects=False))
        answer(difference_line(found, seed))


COMMANDS = {75: compare}
