"""Points from and to cymetric's dataset.npz, so that either program can run on the points of the other.

The file holds X_train, X_val (N, 2(n+1)): real parts, then imaginary parts of patch-scaled coordinates; y_train, y_val
(N, 2): weight and |Omega|^2 in the best-conditioned chart; val_pullbacks (N, d, n+1). cymetric's weights are
degree |Omega|^2 / det(g_FS / pi): ours times degree pi^d.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path

import numpy as np

from mpiflow import sampling
from mpiflow.errors import InputError
from mpiflow.files import put
from mpiflow.files.take import opened
from mpiflow.geometry.domain import Domain
from mpiflow.sampling import Points

#: Names of the halves of a file by the stream that they stand for.
_HALVES = {sampling.TRAIN: "train", sampling.TEST: "val"}
#: |Q| / |z|^(n+1), and the relative error of |Omega|^2, up to which points count as points of X.
ON_X, SAME_FORM = 1e-8, 1e-6


def read(path: Path, surface: Domain, stream: int, chart: tuple[int, ...] | None, total: int) -> Points:
    """The first `total` train or test points of a file that lie in a chart (None: in any), as they are there.

    stream: sampling.TRAIN or sampling.TEST. Weights are the file's, in our units. Raises InputError, naming the point,
    where the file is not such a file, is not finite, or is of another manifold; no pickle is ever loaded.
    """
    half = _HALVES[stream]
    x, y = _arrays(path, half, 2 * surface.coordinates)
    z = surface.scaled(x[:, : surface.coordinates] + 1j * x[:, surface.coordinates :])
    _check(path, half, surface.off(z), ON_X, "lies off X", "is it of another manifold, or rounded to float32?")
    points = surface.described(z)
    form = np.abs(y[:, 1] / points.omega2 - 1)
    _check(path, half, form, SAME_FORM, "has another |Omega|^2", "is it of another manifold, or normalised otherwise?")
    points = Points(z, points.chart, y[:, 0] / _unit(surface), points.omega2)
    inside = np.flatnonzero((points.chart == chart).all(1))[:total] if chart else np.arange(min(len(z), total))
    if len(inside) < total:
        where = f"in chart {list(chart)}" if chart else "in all"
        raise InputError(
            f"points.file = {str(path)!r}: {total} {half} points are asked for and {len(inside)} are there {where}; lower "
            f'points.{"train" if stream == sampling.TRAIN else "test"}, or choose chart = "all" and a Kaehler kernel'
        )
    return points.map(lambda rows: rows[inside])


def write(path: Path, surface: Domain, train: Points, test: Points) -> None:
    """Write points as cymetric's prepare_dataset does; the file is whole or absent."""
    columns = {}
    for half, points in {"train": train, "val": test}.items():
        columns[f"X_{half}"] = np.concatenate([points.z.real, points.z.imag], axis=1)
        columns[f"y_{half}"] = np.stack([points.weight * _unit(surface), points.omega2], axis=1)
    columns["val_pullbacks"] = surface.jacobian(test.z, test.chart).swapaxes(1, 2)
    memory = io.BytesIO()
    np.savez_compressed(memory, **columns)
    put(path, memory.getbuffer())


def _unit(surface: Domain) -> float:
    return surface.volume * np.pi**surface.dimension


def _arrays(path: Path, half: str, width: int) -> tuple[np.ndarray, np.ndarray]:
    """X (N, width) and y (N, 2) of a half, float64 and finite."""
    names = (f"X_{half}", f"y_{half}")
    try:
        with opened(path) as content, np.load(content, allow_pickle=False) as file:
            x, y = (file[name] for name in names)
    except FileNotFoundError:
        raise InputError(f"points.file = {str(path)!r}: no such file; give cymetric's dataset.npz") from None
    except (
        KeyError,
        ValueError,
        TypeError,
        OSError,
        EOFError,
        zipfile.BadZipFile,
        zlib.error,
        AttributeError,
    ) as error:
        # NumPy's own text would advise to load pickles.
        why = "it holds Python objects, which are never loaded" if "pickle" in str(error) else error
        raise InputError(
            f"points.file = {str(path)!r}: not a dataset.npz with plain arrays {' and '.join(names)} ({why}); "
            "make it with cymetric's prepare_dataset or `mpiflow points`"
        ) from None
    if x.dtype.kind != "f" or y.dtype.kind != "f" or x.shape != (len(x), width) or y.shape != (len(x), 2):
        raise InputError(
            f"points.file = {str(path)!r}: {names[0]} is {x.dtype} {x.shape} and {names[1]} {y.dtype} {y.shape}, where real "
            f"(N, {width}) and (N, 2) are needed: is manifold.ambient that of the file?"
        )
    x, y = x.astype(np.float64), y.astype(np.float64)
    bad = ~(np.isfinite(x).all(1) & np.isfinite(y).all(1) & (y > 0).all(1) & x.any(1))
    _check(path, half, bad.astype(float), 0.5, "is zero, not finite, or has a weight that is not positive", "remove it")
    return x, y


def _check(path: Path, half: str, error: np.ndarray, bound: float, what: str, cure: str) -> None:
    worst = int(error.argmax()) if len(error) else 0
    if len(error) and not error[worst] <= bound:
        raise InputError(
            f"points.file = {str(path)!r}: {half} point {worst} {what} ({error[worst]:.1e} > {bound}); {cure}"
        )
