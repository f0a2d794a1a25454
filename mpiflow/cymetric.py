"""Points from and to cymetric's dataset.npz, so that either program can run on the points of the other.

The file holds X_train, X_val (N, 2(n+1)): real parts, then imaginary parts of patch-scaled coordinates; y_train, y_val
(N, 2): weight and |Omega|^2 in a chart, which of one equation is ours; val_pullbacks (N, d, n+1) there. cymetric's weights are
degree |Omega|^2 / det(g_FS / pi): ours times degree pi^d.

How the points are spread is their measure: that of random lines or linear sections, where the file names none or `measure` is
"line", in a product of projective spaces those of all types or, as cymetric takes them, of one; or
`density_train`, `density_val` (N,), relative to the first, by which the weights are divided. So a weight is a function of its
point, up to one constant for all, and is checked to be.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from mpiflow import sampling, streams
from mpiflow.errors import InputError
from mpiflow.files import put
from mpiflow.files.arrays import arrays
from mpiflow.geometry.domain import Domain
from mpiflow.sampling import Points

#: Names of the halves of a file by the stream that they stand for.
_HALVES = {sampling.TRAIN: "train", sampling.TEST: "val"}
#: |Q| at |z| = 1, and the relative error of |Omega|^2 and of weights, up to which points count as points of X.
ON_X, SAME_FORM = 1e-8, 1e-6
#: Distance of patch-scaled points that are one and the same; fewer than so many may happen to lie in one chart.
_SAME, _FEW = 1e-9, 30


def read(path: Path, surface: Domain, stream: int, chart: tuple[int, ...] | None, total: int) -> Points:
    """The first `total` train or test points of a file that lie in a chart (None: in any), as they are there.

    stream: sampling.TRAIN or sampling.TEST. Weights are the file's, in our units. Raises InputError, naming the point,
    where the file is not such a file, is not finite, is of another manifold, where weights are not those of its measure,
    where a point is there twice, or in both halves; no pickle is ever loaded.
    """
    half, width = _HALVES[stream], 2 * surface.coordinates
    x, y, density, other = _columns(path, half, width)
    z = surface.scaled(_complex(x))
    _check(path, half, surface.off(z), ON_X, "lies off X", "is it of another manifold, or rounded to float32?")
    points, (chart_there, weighings) = surface.described(z), surface.abroad(z)
    form = np.abs(y[:, 1] / surface.omega2(z, chart_there) - 1)
    _check(path, half, form, SAME_FORM, "has another |Omega|^2", "is it of another manifold, or normalised otherwise?")
    weight = _weights(path, half, y[:, 0] / _unit(surface), (each / density for each in weighings))
    _apart(path, half, z, surface.scaled(_complex(other)))
    points = Points(z, points.chart, weight, points.omega2)
    inside = np.flatnonzero((points.chart == chart).all(1))[:total] if chart else np.arange(min(len(z), total))
    if len(inside) < total:
        where = f"in chart {list(chart)}" if chart else "in all"
        raise InputError(
            f"points.file = {str(path)!r}: {total} {half} points are asked for and {len(inside)} are there {where}; lower "
            f'points.{"train" if stream == sampling.TRAIN else "test"}, or choose chart = "all" and a Kaehler kernel'
        )
    if chart is None and len(inside) > _FEW and len(np.unique(points.chart[inside], axis=0)) == 1:
        raise InputError(
            f"points.file = {str(path)!r}: all {half} points lie in chart {points.chart[0].tolist()}, and points.chart = "
            '"all" asks for points of all of them; set points.chart to theirs, or take points of X from everywhere'
        )
    return points.map(lambda rows: rows[inside])


def write(path: Path, surface: Domain, train: Points, test: Points) -> None:
    """Write points as cymetric's prepare_dataset does; the file is whole or absent."""
    columns = {}
    for half, points in {"train": train, "val": test}.items():
        z = surface.scaled(points.z)
        there, _ = surface.abroad(z)
        columns[f"X_{half}"] = np.concatenate([z.real, z.imag], axis=1)
        omega2 = points.omega2 if np.array_equal(there, points.chart) else surface.omega2(z, there)
        columns[f"y_{half}"] = np.stack([points.weight * _unit(surface), omega2], axis=1)
    columns["val_pullbacks"] = surface.jacobian(z, there).swapaxes(1, 2)
    columns["measure"] = np.array("line")
    memory = io.BytesIO()
    np.savez_compressed(memory, **columns)
    put(path, memory.getbuffer())


def _unit(surface: Domain) -> float:
    return surface.volume * np.pi**surface.dimension


def _complex(x: np.ndarray) -> np.ndarray:
    """Coordinates from their real and imaginary parts: (N, 2(n+1)) to (N, n+1) complex."""
    size = x.shape[1] // 2
    return x[:, :size] + 1j * x[:, size:]


def _columns(path: Path, half: str, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """X (N, width), y (N, 2) and the density (N,) of a half, and X of the other one, float64 and finite."""
    other = "X_train" if half == "val" else "X_val"
    names, density = (f"X_{half}", f"y_{half}"), f"density_{half}"
    try:
        found = arrays(path, names, (other, density, "measure"))
    except FileNotFoundError:
        raise InputError(f"points.file = {str(path)!r}: no such file; give cymetric's dataset.npz") from None
    except (OSError, ValueError) as error:
        raise InputError(
            f"points.file = {str(path)!r}: not a dataset.npz with plain arrays {' and '.join(names)} ({error}); "
            "make it with cymetric's prepare_dataset or `mpiflow points`"
        ) from None
    x, y = (found[name] for name in names)
    given = found.get(density, np.ones(x.shape[:1]))
    others = found.get(other, np.zeros((0, width)))
    _measured(path, found, density)
    wanted = [(x, (width,)), (y, (2,)), (given, ()), (others, (width,))]
    if any(a.dtype.kind != "f" or a.ndim < 1 or a.shape[1:] != row for a, row in wanted) or not len(x) == len(y) == len(
        given
    ):
        raise InputError(
            f"points.file = {str(path)!r}: {names[0]} is {x.dtype} {x.shape} and {names[1]} {y.dtype} {y.shape}, where real "
            f"(N, {width}) and (N, 2) are needed, and real {other} and {density}, where they are there: is manifold.ambient "
            "that of the file?"
        )
    x, y, given, others = (a.astype(np.float64) for a, _ in wanted)
    bad = ~(
        np.isfinite(x).all(1) & np.isfinite(y).all(1) & np.isfinite(given) & (y > 0).all(1) & (given > 0) & x.any(1)
    )
    _check(path, half, bad.astype(float), 0.5, "is zero, not finite, or has a weight that is not positive", "remove it")
    return x, y, given, others[np.isfinite(others).all(1) & others.any(1)]


def _measured(path: Path, found: dict[str, np.ndarray], density: str) -> None:
    """Raise InputError for a measure that is none."""
    fits = "density" if density in found else "line"
    measure = str(found.get("measure", fits))
    if measure != fits:
        raise InputError(
            f"points.file = {str(path)!r}: measure is {measure[:40]!r}, and {density} is "
            f'{"" if density in found else "not "}there; it is "line", for points of random lines, or "density", with that of '
            "every point"
        )


def _weights(path: Path, half: str, weight: np.ndarray, weighings: Iterable[np.ndarray]) -> np.ndarray:
    """The weights of a file, in our units, where they are those of a measure but for one constant."""
    if not len(weight):
        return weight
    found = []
    for ours in weighings:
        with np.errstate(over="ignore", under="ignore", divide="ignore"):
            constant = np.median(weight / ours)
            off = np.abs(weight / ours / constant - 1) if 0 < constant < np.inf else np.full(len(weight), np.inf)
        found.append((np.nan_to_num(off, nan=np.inf), constant))
        if found[-1][0].max() <= SAME_FORM:
            break
    # Of what is none, the error of the measure that it is nearest to.
    off, constant = min(found, key=lambda each: np.median(each[0]))
    _check(
        path,
        half,
        off,
        SAME_FORM,
        "has a weight that its place on X does not give it",
        "were points chosen, or weights changed? Then give the density of every point",
    )
    return weight if abs(constant - 1) < SAME_FORM else weight / constant


def _apart(path: Path, half: str, z: np.ndarray, others: np.ndarray) -> None:
    """Raise InputError where a point is there twice: it would be counted twice, or be no unseen one."""
    reals = np.concatenate([z, others]).view(np.float64)
    # Points that are the same are neighbours in any direction.
    order = np.argsort(reals @ streams.same().normal(size=reals.shape[1]), kind="stable")
    same = np.abs(np.diff(reals[order], axis=0)).max(1, initial=0.0) < _SAME
    for one, two in np.sort(np.stack([order[:-1], order[1:]], axis=1)[same], axis=1):
        if one < len(z):
            where = f"{half} point {two}" if two < len(z) else f"point {two - len(z)} of the other half"
            raise InputError(
                f"points.file = {str(path)!r}: {half} point {one} and {where} are the same; remove one of them"
            )


def _check(path: Path, half: str, error: np.ndarray, bound: float, what: str, cure: str) -> None:
    worst = int(error.argmax()) if len(error) else 0
    if len(error) and not error[worst] <= bound:
        raise InputError(
            f"points.file = {str(path)!r}: {half} point {worst} {what} ({error[worst]:.1e} > {bound}); {cure}"
        )
