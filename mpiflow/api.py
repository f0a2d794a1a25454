"""What Python users call: `mpiflow.run`, `mpiflow.open`, `mpiflow.sample`, and the `Model` that the first two return.

Every call is collective over `comm`: this rank alone by default, all ranks of mpiexec with mpi4py's `MPI.COMM_WORLD`, or with
`mpiflow.comm.world()`, which also holds that all run the same mpiflow.
Start such a script as `mpiexec -n 4 python -m mpi4py script.py`: what one rank raises alone then ends the others, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from mpiflow import config as run_files
from mpiflow import dataset
from mpiflow.comm import Comm
from mpiflow.config import Config
from mpiflow.doors import loaded
from mpiflow.errors import InputError
from mpiflow.job import asked, job
from mpiflow.job.flowing import Flowing
from mpiflow.predictor import Model, open_run
from mpiflow.sampling import EVALUATE, Points
from mpiflow.screen import Screen

__all__ = ["Model", "open", "run", "sample"]

#: What moves a metric is of no matter to points; this knows every chart.
_ANY = {"network": {"kind": "potential"}, "flow": {"dt": 1e-3}}


def run(
    config: str | Path | Mapping[str, Any] | Config,
    folder: str | Path | None = None,
    *,
    comm: Comm | None = None,
    fresh: bool = False,
    quiet: bool = True,
) -> Model:
    """Run a run file to its end, and return the metric: in memory, where nothing is written, or in a folder.

    config: the path of a run file, its tables as a dict, or a `Config`. folder: of a run, which is begun there or gone on
    with, as by `mpiflow run -o FOLDER`: states, log, report. fresh: move a run that is there aside first. quiet: say nothing
    (in a folder). Both give the bits of `mpiflow run`, with one BLAS thread as there. A run in a folder may be asked to stop
    (a file STOP there, the end of a Slurm job): model.step is then less than model.config.flow.steps, and the same call
    goes on. Raises InputError before any work, NumericalError where the flow breaks down, WriteError for a lost state.
    """
    comm = Comm.of(comm)
    settings = _settings(comm, config, "mpiflow.run")
    settings.on_points("mpiflow.run")
    with threadpool_limits(1), loaded.staying():
        if folder is None:
            return _in_memory(comm, settings)
        source = Path(config) if isinstance(config, str | Path) else None
        where = _path(folder)
        job.run(comm, settings, where, Screen(comm.rank, quiet), fresh=fresh, source=source)
        return open_run(where, comm)


def _in_memory(comm: Comm, settings: Config) -> Model:
    made = Flowing.begun(comm, settings)
    made.begin()
    made.look()
    while not made.done:
        made.advance()
        if made.due:
            made.look()
    history = {f"history/{name}": column for name, column in made.history.arrays().items()}
    return Model(made, made.predictor(), made.step, made.flow.attributes(), history)


def open(path: str | Path, comm: Comm | None = None) -> Model:  # noqa: A001 - the name that h5py, xarray and zarr use
    """Open a run folder (its newest sound state) or one state file as a function: the metric at any point of X.

    Raises StateError where there is no state, or none that validates.
    """
    return open_run(path, comm)


def sample(
    manifold: str | Path | Mapping[str, Any] | Config,
    n: int,
    seed: int = 1,
    *,
    chart: str | tuple[int, ...] = "all",
    comm: Comm | None = None,
) -> Points:
    """The first n points of X of a seed, the same on every rank, none of which any run trains on: `Model.evaluate` has them.

    manifold: a table [manifold] as a dict, {"family": "dwork", "psi": 0.5}; or a run file, by its path or as a `Config`, whose
    manifold it is. chart: of all points, or "all" for each its own. Returns arrays, axis 0 the point: z (n, n+1) complex128,
    homogeneous coordinates, scaled as its charts are; chart (n, 2) int8; weight (n,) float64, with which
    np.average(f, weights=weight) is the mean of f over Omega ^ Omegabar; omega2 (n,) float64, |Omega|^2. Raises InputError
    for what is no manifold.
    """
    comm = Comm.of(comm)
    table = manifold if isinstance(manifold, Mapping) else _table(comm, manifold)
    keys = {
        "run": {"seed": asked.whole("mpiflow.sample: seed", seed)},
        "points": {"train": asked.whole("mpiflow.sample: n", n), "chart": chart},
    }
    settings = _settings(comm, {"manifold": dict(table), **keys, **_ANY}, "mpiflow.sample")
    settings.on_points("mpiflow.sample")
    wanted = np.arange(settings.points.train)
    return dataset.drawn(comm, settings.surface(), settings, EVALUATE, len(wanted), settings.run.seed, wanted)


def _table(comm: Comm, manifold: object) -> Mapping[str, Any]:
    return _settings(comm, manifold, "mpiflow.sample").manifold.model_dump(exclude_none=True, mode="json")


def _settings(comm: Comm, config: object, caller: str) -> Config:
    """A run file from whatever a user gives as one, read on rank 0. Raises InputError for what is none."""
    return comm.led(_read, config, caller)


def _read(config: object, caller: str) -> Config:
    if isinstance(config, Config):
        return config
    if isinstance(config, Mapping):
        return run_files.check(_plain(config), caller)
    if isinstance(config, str | Path):
        return run_files.read(config)
    raise InputError(
        f"{caller}: a {type(config).__name__} is no run file: give its path, its tables as a dict, or a Config"
    )


def _plain(item: Any) -> Any:
    """Tables with numbers and lists of Python where they have numpy's, as loops over arrays give them."""
    if isinstance(item, Mapping):
        return {key: _plain(value) for key, value in item.items()}
    if isinstance(item, list | tuple):
        return [_plain(value) for value in item]
    return item.tolist() if isinstance(item, np.generic | np.ndarray) else item


def _path(folder: object) -> Path:
    if not isinstance(folder, str | Path) or not str(folder).strip():
        raise InputError(f"mpiflow.run: folder = {folder!r}: must be the path of a run folder; leave it out for none")
    return Path(folder).absolute()
