"""A finished or stopped run as a function: the metric at any point of X, from one state file (theory 4)."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path

import numpy as np

from mpiflow import dataset, losses, sampling
from mpiflow.belief.loader import State, latest, opened, read
from mpiflow.comm import Comm
from mpiflow.errors import InputError, StateError
from mpiflow.flows.predictor import Predictor
from mpiflow.job import asked, compare, evaluate
from mpiflow.job.flowing import Flowing
from mpiflow.job.restart import Restart
from mpiflow.measures import Curvature, Volume, curvature_of, kappa_of, volume_of
from mpiflow.methods import registry
from mpiflow.ranks.exchange import Exchange
from mpiflow.ranks.shards import split
from mpiflow.sampling import Points

#: |Q| at |z| = 1 above which a point does not lie on X.
OFF = 1e-6


def open_run(path: str | Path, comm: Comm | None = None) -> Model:
    """Open a run folder (its newest sound state) or one state file; collective over comm, one rank by default.

    Raises InputError for what is no path, StateError where there is no state, or none that validates.
    """
    comm = Comm.of(comm)
    if not isinstance(path, str | Path):
        raise InputError(f"mpiflow.open: path = {path!r}: must be the path of a run folder or a state-*.h5 file")
    state = settings = None
    with comm.lead() as mine:
        if mine:
            state = _state(Path(path))
            settings = opened(state)
            settings.on_points(f"{path}")
    settings, restart = comm.bcast(settings), Restart(comm, state)
    made = Flowing.resumed(settings, settings.surface(), restart)
    rows = restart.reader(made.train.layout.rows)
    found = registry.of(settings).predictor(settings, made.surface, made.train, restart.attributes, rows)
    return Model(made, found, restart.step, restart.attributes, restart.history)


def _state(path: Path) -> State:
    if not path.is_dir():
        if not os.path.lexists(path):
            raise StateError(f"{path}: no such file or folder; give a run folder or a state-*.h5 file")
        return read(path)
    told: list[str] = []
    state = latest(path, told.append)
    if state is None:
        why = "; ".join(told) or "there is no state in it"
        raise StateError(f"{path}: {why}; give a run folder or a state-*.h5 file")
    return state


class Model:
    """The metric that a run predicts. step: the last that is done. config: of the run. surface: the manifold.

    history: "history/NAME" to the column of a state, see `state.schema`. attributes: of the flow, and of a state all it has.
    """

    def __init__(
        self, made: Flowing, predictor: Predictor, step: int, attributes: dict, history: dict[str, np.ndarray]
    ):
        self.comm, self.config, self.surface = made.comm, made.config, made.surface
        self.train, self.test = made.train, made.test
        self.step, self.attributes, self.history, self._predictor = step, attributes, history, predictor

    @cached_property
    def kappa(self) -> float:
        """The w-mean of det g / |Omega|^2 over the train points; collective when it is first asked for."""
        g = self._predictor.metric(self.train.layout, self.train.points.z, self.train.points.chart)
        return kappa_of(self.train.layout, self.train.points, g)

    def metric(self, z: np.ndarray, extrapolate: bool = False) -> np.ndarray:
        """g at points of X, each in its own best chart (`Domain.chart_of`): (N, n+1) to (N, d, d) complex128.

        z: complex, any scale, on X. A one-chart run knows its own chart; for points of others `extrapolate` carries its
        prediction there by the chart's Jacobian. Collective: each rank asks for points of its own, as many as it likes, or
        all for the same. Raises InputError for points off X or, without it, of another chart.
        """
        targets, home = self._placed(z, extrapolate)
        return home(self._predictor.metric(targets.layout, targets.points.z, targets.points.chart))

    def band(self, z: np.ndarray) -> np.ndarray:
        """Standard deviation of each of the d^2 reals of g over wide networks that begin at random: (N, n+1) to (N,) float64.

        Of a linear flow (HR 2.9 - 2.12), whose metric is their mean, as long as it has run. Raises InputError for another
        flow or a kernel of no network, and as `metric` does; collective as that.
        """
        if not self.config.flow.loss.linear:
            raise InputError(
                'band: networks spread by a known law where the flow is linear alone; run with flow.loss = "mse"'
            )
        targets, home = self._placed(z, False)
        return home(self._predictor.band(targets.layout, targets.points.z, float(self.history["history/time"][-1])))

    def _placed(self, z: np.ndarray, extrapolate: bool) -> tuple[dataset.PointSet, Exchange]:
        """Points of the users of all ranks, checked and dealt out; and how rows of these come back to who asked."""
        z, chart = self._reached(z, extrapolate)
        own = sum(self.comm.allgather(len(z))[: self.comm.rank]) + np.arange(len(z))
        targets = dataset.placed(self.comm, self.surface, own, self.surface.described(z, chart), self.train)
        return targets, Exchange(self.comm, targets.layout.rows, own)

    def eta(self, z: np.ndarray, extrapolate: bool = False) -> np.ndarray:
        """det g / (kappa |Omega|^2) with the kappa of the train points: (N, n+1) complex to (N,) float64; as `metric`."""
        z = self._checked(z)
        omega2 = self.surface.omega2(z, self.surface.chart_of(z))
        return losses.eta(self.metric(z, extrapolate), omega2, self.kappa)

    def potential(self, z: np.ndarray) -> np.ndarray:
        """phi of g = g_FS + d dbar phi, up to a constant: (N, n+1) complex to (N,) float64.

        Raises InputError for kernels without a potential.
        """
        return self._predictor.potential(self._checked(z))

    def ricci(self, z: np.ndarray, extrapolate: bool = False) -> np.ndarray:
        """R_(a bbar), exactly, in each point's own best chart: (N, n+1) complex to (N, d, d) complex128.

        Raises InputError for kernels without a potential, and as `metric` does.
        """
        return self._predictor.ricci(*self._reached(z, extrapolate))

    def evaluate(self, count: int, seed: int, extrapolate: bool = False) -> list[evaluate.Row]:
        """Measure the metric on the train points and on `count` fresh ones of another seed; collective.

        extrapolate: fresh points of all charts rather than of the run's own.
        """
        fresh = self._fresh(count, seed, extrapolate)
        return evaluate.table(self.surface, self._predictor, self.train, {"train": self.train, "fresh": fresh})

    def table(self) -> list[evaluate.Row]:
        """The same on the run's own train and unseen points, as the run itself shows it; collective."""
        sets = {"train": self.train, "unseen": self.test}
        return evaluate.table(self.surface, self._predictor, self.train, sets)

    def curvature(self, count: int, seed: int, extrapolate: bool = False) -> Curvature:
        """Ricci measure and Euler number on fresh points of all charts; collective.

        Raises InputError as `potential` does, and without `extrapolate` for a run that knows one chart alone.
        """
        if self.has_potential and not extrapolate and not self.everywhere:
            raise InputError(
                f"curvature: it takes points of all charts, the run was made in chart {list(self.config.points.chart)}: "
                'ask for extrapolate (its accuracy is not known), or run with points.chart = "all"'
            )
        fresh = self._fresh(count, seed, True)
        return curvature_of(self.surface, self._predictor, fresh.layout, fresh.points)

    def volume(self, count: int, seed: int) -> Volume | None:
        """The volume in the run's Kaehler class on fresh points, None where it holds by construction; collective."""
        fresh = self._fresh(count, seed, True)
        return volume_of(self.surface, fresh.layout, fresh.points)

    def difference(self, other: Model, count: int, seed: int, extrapolate: bool = False) -> compare.Difference:
        """How far the metric is from another run's on the same manifold, at `count` fresh points; collective (theory 3).

        The points lie in the charts that both runs know (`everywhere`), or in all with `extrapolate`. Raises InputError where
        there is no such chart, and for runs of different manifolds.
        """
        if not isinstance(other, Model):
            raise InputError(f"other = {other!r}: a {type(other).__name__} is no Model; mpiflow.open gives one")
        models = self, other
        compare.together(models)
        own, points = self._drawn(count, seed, "all" if extrapolate else compare.shared(models))
        compare.on_one(models, points)
        predictors, trains = (self._predictor, other._predictor), (self.train, other.train)
        return compare.difference(self.surface, own, points, predictors, trains)

    @property
    def has_potential(self) -> bool:
        """Whether g = g_FS + d dbar phi, so that `potential`, `ricci` and `curvature` are known."""
        return self._predictor.has_potential

    @property
    def everywhere(self) -> bool:
        """Whether the run knows all charts: trained in all, or in one that symmetry maps every other to."""
        return self.config.points.chart == "all" or self.config.moved_by.everywhere

    def _fresh(self, count: int, seed: int, every_chart: bool) -> dataset.PointSet:
        own, points = self._drawn(count, seed, "all" if every_chart else self.config.points.chart)
        return dataset.placed(self.comm, self.surface, own, points, self.train)

    def _drawn(self, count: int, seed: int, chart: tuple[int, ...] | str) -> tuple[np.ndarray, Points]:
        """Numbers of this rank's share of fresh points, and the points; collective."""
        count, seed = asked.fresh(count, seed)
        share = split(count, self.comm.size, self.comm.rank)
        own = np.arange(share.start, share.stop)
        points = self.config.points.model_copy(update={"chart": chart})
        settings = self.config.model_copy(update={"points": points})
        return own, dataset.drawn(self.comm, self.surface, settings, sampling.EVALUATE, count, seed, own)

    def _reached(self, z: np.ndarray, extrapolate: bool) -> tuple[np.ndarray, np.ndarray]:
        """Checked points and their best charts; refused where the run knows them not and extrapolation is not asked for."""
        z = self._checked(z)
        best, known = self.surface.chart_of(z), self.config.points.chart
        if not extrapolate and not self.everywhere and (best != known).any():
            row = int((best != known).any(1).argmax())
            raise InputError(
                f"point {row} lies in chart {best[row].tolist()}, the run was made in chart {list(known)}: sample that "
                "chart, or ask for extrapolate (its accuracy is not known)"
            )
        return z, best

    def _checked(self, z: np.ndarray) -> np.ndarray:
        """Points of X, patch-scaled, from what a user gives as such. Raises InputError for what is none."""
        z = self.surface.scaled(asked.points(z, self.surface.coordinates))
        off = self.surface.off(z)
        if len(off) and not off.max() < OFF:
            raise InputError(
                f"point {off.argmax()} is off X: |Q| = {off.max():.1e} > {OFF} at |z| = 1; project it first"
            )
        return z
