"""HR's Figure 1 as a measured map: how local, how frozen and how mixing the kernel of each flow is (HR figure 1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mpiflow import sampling
from mpiflow.comm import Comm
from mpiflow.config import check
from mpiflow.geometry.projective import distance
from mpiflow.grids import rk4
from mpiflow.grids.periodic import Metric
from mpiflow.grids.torus import FlatTorus
from mpiflow.job.flowing import Flowing
from mpiflow.methods import network
from mpiflow.paper.claims import Claim
from mpiflow.paper.picture import finished, picture, show, told

TITLE = "Figure 1, measured: how local, frozen and mixing the kernel of every flow is; needs the extra nn"
SIZES = {"laptop": 1000, "node": 4000, "cluster": 16_000}
LEAST, CHART = 200, (0, 1)
#: Points between all pairs of which kernels are looked at; steps of flows, and epochs of networks.
FIXED, STEPS, EPOCHS = 60, 50, 30
#: Kernels of components, and the step that suits each.
COMPONENTS = {
    "delta": ({"name": "delta"}, 0.01),
    "gaussian .1": ({"name": "gaussian", "width": 0.1}, 0.01),
    "gaussian .4": ({"name": "gaussian", "width": 0.4}, 0.03),
    "relu": ({"name": "relu", "depth": 2}, 0.05),
}
POTENTIALS = {"potential, linear": "linear", "potential, log": "log"}
NETWORKS = {"network": "multiplicative"}
#: Width of the kernel of a Ricci flow on T^2, and what is done with the indices of its slope.
RICCI = {
    "Ricci, local": (0.0, "lowered"),
    "Ricci, s = .5": (0.5, "lowered"),
    "Ricci, s = .5, HR 2.13": (0.5, "frobenius"),
}
#: Points of a side of the torus, time of the flow there.
SIDE, TIME = 12, 0.3


@dataclass(frozen=True)
class Row:
    """The kernel Theta_ab(x, x') of one flow.

    moved: |Theta_end - Theta| / |Theta|. At the end, reach: mean distance of x and x' weighted by |Theta|, over that of all
    pairs; mixing: root of the share of Theta^2 with a != b. gain: of train points; nan on a torus. A network begins with its
    last layer at 0, when no other layer is in its kernel.
    """

    flow: str
    reach: float
    moved: float
    mixing: float
    gain: float = np.nan


def run(comm: Comm, out: Path, size: int, say: Callable[[str], None], seed: int = 1) -> list[Row]:
    """Flow each on `size` points, on rank 0, and draw out/map.png; collective."""
    say(f"{'flow':>24}{'reach':>9}{'moved':>9}{'mixing':>9}{'gain':>9}")
    rows = comm.led(lambda: told(_rows(size, seed), say, _line))
    show(comm, say, out / "map.png", _draw, rows)
    return rows


def _rows(size: int, seed: int) -> Iterator[Row]:
    for name, (kernel, dt) in COMPONENTS.items():
        yield _components(name, size, seed, kernel, dt)
    for name, potential in POTENTIALS.items():
        yield _potential(name, size, seed, potential)
    for name, kind in NETWORKS.items():
        yield _network(name, size, seed, kind)
    for name, (width, index) in RICCI.items():
        yield _ricci(name, width, index, seed)


def claims(rows: list[Row]) -> list[Claim]:
    """HR's three words, of the flows that they give them to."""
    by = {row.flow: row for row in rows}
    frozen = max(by[name].moved for name in [*COMPONENTS, "potential, linear"])
    return [
        Claim("frozen: kernels of infinite width, greatest motion", "0", frozen, 0, 0),
        Claim(
            "no mixing: independent components, greatest share", "0", max(by[name].mixing for name in COMPONENTS), 0, 0
        ),
        Claim("local: Delta, reach", "0", by["delta"].reach, 0, 0.05),
        Claim("local: Ricci flow, reach", "0", by["Ricci, local"].reach, 0, 0),
        Claim("not local: the ReLU NTK, reach", "not said: about 1", by["relu"].reach, 0.7, 1.3),
        Claim("not frozen: a finite network, motion", "above 0", by["network"].moved, 0.1, np.inf),
        Claim(
            "Ricci flow: motion of its kernel",
            "a local flow has a frozen one: 0",
            by["Ricci, local"].moved,
            0,
            0,
            _LOWERED,
        ),
        Claim("Ricci flow with the deltas of (2.13): motion", "0", by["Ricci, s = .5, HR 2.13"].moved, 0, 0),
    ]


_LOWERED = "the slope of F has upper indices, and lowering them by g puts g into the kernel, where it moves and mixes"


def measured(flow: str, before: np.ndarray, after: np.ndarray, apart: np.ndarray, gain: float = np.nan) -> Row:
    """The numbers of kernels (a, a, x, x') at the start and the end of a flow; apart: (x, x'), distances."""
    square = after**2
    size = np.sqrt(square.sum((0, 1)))
    reach = float((size * apart).sum() / size.sum() / apart.mean())
    between = square * (1 - np.eye(len(square)))[:, :, None, None]
    moved = float(np.linalg.norm(after - before) / np.linalg.norm(before))
    return Row(flow, reach, moved, float(np.sqrt(between.sum() / square.sum())), gain)


def _components(name: str, size: int, seed: int, kernel: dict, dt: float) -> Row:
    """The kernel is the same for every component, and no flow moves it."""
    flow = {"dt": dt, "steps": STEPS, "clip": 10.0, "normalisation": "sum" if kernel["name"] == "delta" else "row"}
    made = _flowing(size, seed, {"kernel": kernel, "flow": flow})
    begun = made.flow.record().sigma_train
    made.finish()
    z = made.surface.embedded(_fixed(made.surface, seed)[0])
    theta = np.multiply.outer(np.eye(9), made.config.kernel.tile(z, z))
    return measured(name, theta, theta, _distances(z), begun / made.flow.record().sigma_train)


def _potential(name: str, size: int, seed: int, potential: str) -> Row:
    from mpiflow.paper.potential_ntk import PotentialNtk

    kernel = {"name": "kaehler", "degree": 8, "potential": potential}
    made = _flowing(size, seed, {"kernel": kernel, "flow": {"dt": 0.3, "steps": STEPS}})
    begun, ntk = made.flow.state.sigma, PotentialNtk(made.flow)
    z, chart = _fixed(made.surface, seed)
    frame = made.surface.frame(z, chart)
    before = _theta(ntk.at(frame))
    made.finish()
    return measured(name, before, _theta(ntk.at(frame)), _distances(z), begun / made.flow.state.sigma)


def _network(name: str, size: int, seed: int, kind: str) -> Row:
    from mpiflow.measures import sigma
    from mpiflow.network import inputs
    from mpiflow.network.empirical_ntk import jacobian

    keys = {"kind": kind, "width": 64, "depth": 2, "batch": 250}
    made = _flowing(size, seed, {"network": keys, "flow": {"dt": 1e-3, "loss": "sigma", "steps": EPOCHS}})
    goal, columns = (
        network.objective(made.config, made.surface),
        inputs.component(made.surface, *_fixed(made.surface, seed)),
    )
    before = _theta(jacobian(goal, made.flow.progress.theta, columns))
    made.finish()
    points = made.train
    reference = sigma(points.layout, points.points, points.reference(made.surface))
    after = _theta(jacobian(goal, made.flow.progress.theta, columns))
    apart = _distances(_fixed(made.surface, seed)[0])
    return measured(name, before, after, apart, reference / made.flow.record().sigma_train)


def _ricci(name: str, width: float, index: str, seed: int) -> Row:
    """dg_ij(x) = -int N_s(x, x') g_ia g_jb(x') dF/dg_ab: the kernel of Perelman's flow, here in DeTurck's gauge."""
    space = FlatTorus(FlatTorus.Keys(points=SIDE, amplitude=0.1, seed=seed))
    u = space.start()
    before = _lowering(u, index)
    steps = int(np.ceil(TIME / (0.5 * space.step_limit(u, width))))
    for _ in range(steps):
        u = rk4.step(lambda u: space.ricci(u, width, "deturck", index), u, TIME / steps)
    spots = np.arange(SIDE**2)
    hit = np.zeros((SIDE, SIDE))
    hit[0, 0] = 1
    near = space.smoothed(hit, width) if width else hit
    rows, columns = np.divmod(spots, SIDE)
    gap = (rows[:, None] - rows) % SIDE, (columns[:, None] - columns) % SIDE
    apart = 2 * np.pi / SIDE * np.hypot(*(np.minimum(one, SIDE - one) for one in gap))
    kernel = near[gap]
    return measured(name, before[:, :, None] * kernel, _lowering(u, index)[:, :, None] * kernel, apart)


def _lowering(u: np.ndarray, index: str) -> np.ndarray:
    """What takes S^ab at x' to its lower indices, symmetric pairs orthonormal: (c, c, points); the identity where none does."""
    g = Metric(u).g.reshape(2, 2, -1)
    pairs = [((0, 0), 1.0), ((0, 1), np.sqrt(2.0)), ((1, 1), 1.0)]
    if index == "frobenius":
        return np.repeat(np.eye(3)[:, :, None], g.shape[-1], 2)
    return np.array(
        [[one * two * (g[i, a] * g[j, b] + g[i, b] * g[j, a]) / 2 for (a, b), two in pairs] for (i, j), one in pairs]
    )


def _flowing(size: int, seed: int, tables: dict) -> Flowing:
    table = {"run": {"seed": seed}, "points": {"train": size, "test": 10, "chart": CHART}} | tables
    return Flowing.begun(Comm(), check(table, "map"))


def _fixed(surface, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """z and chart of the points between which kernels are looked at."""
    points = sampling.sample(Comm(), surface, FIXED, seed, sampling.TEST, CHART)[1]
    return points.z, points.chart


def _theta(jacobian: np.ndarray) -> np.ndarray:
    """Theta_ab(x, x') = sum_I J_aI(x) J_bI(x')."""
    return np.einsum("xaI,ybI->abxy", jacobian, jacobian, optimize=True)


def _distances(z: np.ndarray) -> np.ndarray:
    count = len(z)
    return distance(np.repeat(z, count, 0), np.tile(z, (count, 1))).reshape(count, count)


def _line(row: Row) -> str:
    gain = "" if np.isnan(row.gain) else f" {row.gain:8.3g}"
    return f"{row.flow:>24}{row.reach:9.3f}{row.moved:9.3f}{row.mixing:9.3f}{gain}"


def _draw(path: Path, rows: list[Row]) -> None:
    marks = {name: "o" for name in COMPONENTS} | dict.fromkeys(POTENTIALS, "s") | dict.fromkeys(NETWORKS, "^")
    with picture(path, columns=2) as axes:
        for one, what, label in zip(
            axes, ("moved", "mixing"), ("moved by its flow", "between components"), strict=True
        ):
            for number, row in enumerate(rows):
                # Hollow, and smaller and smaller: some flows are at one place.
                style = {
                    "color": f"C{number % 10}",
                    "mfc": "none",
                    "mew": 1.6,
                    "ms": 15 - 1.1 * number,
                    "label": row.flow,
                }
                one.plot(row.reach, getattr(row, what), marks.get(row.flow, "D"), **style)
            one.set_yscale("symlog", linthresh=1e-2)
            # The legend needs room that no flow takes.
            one.set_xlim(-0.05, 1.75)
            finished(
                one, xlabel="reach: mean distance in the kernel / of all pairs", ylabel=f"share of the kernel {label}"
            )
