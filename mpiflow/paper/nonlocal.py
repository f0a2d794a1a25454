"""The non-local Ricci flow: what it leaves of a spectrum, where positivity goes, and that it runs backwards (HR 2.38)."""  # noqa: N999

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from mpiflow import streams
from mpiflow.comm import Comm
from mpiflow.grids import rk4
from mpiflow.grids.conformal import ConformalTorus
from mpiflow.grids.course import flowed
from mpiflow.paper.claims import Claim
from mpiflow.paper.picture import finished, picture, show, told

TITLE = "the non-local Ricci flow: spectra by width, where positivity goes, and the flow run backwards (HR 2.38 - 2.42)"
SIZES = {"laptop": 64, "node": 96, "cluster": 128}
LEAST = 48
#: Widths of kernels; bands of |k|; time of the flow of noise, rms of its log v.
WIDTHS, BANDS, TIME, ROUGH = (0.0, 0.25, 0.5, 1.0), ((1, 4), (5, 8), (9, 13)), 0.5, 0.05
#: Heights of hills, log v = height h(1) - DEPTH h(DIMPLE).
HEIGHTS, DEPTH, DIMPLE = (2.0, 4.0, 8.0), 2.0, 0.15
#: Grid, time and steps of that; between which widths the last one is sought, and in how many halvings.
SIDE, WATCHED, MOST, BETWEEN, HALVINGS = 48, 80.0, 4000, (0.2, 0.8), 7
#: A dimple is lost once v is so much below its least, and filled once it is so near to the greatest.
LOST, FILLED = 1e-2, 0.99


@dataclass(frozen=True)
class Row:
    """kept: of the power of log v, band by band, at a width; or the width above which a hill of this height is lost."""

    what: str
    width: float
    height: float = np.nan
    kept: list[float] | None = None
    spectrum: list[float] | None = None
    off: float = np.nan


def run(comm: Comm, out: Path, size: int, say: Callable[[str], None], seed: int = 1) -> list[Row]:
    """Flow conformal metrics on a torus of `size` points a side, on rank 0, and draw out/nonlocal.png; collective."""
    rows = comm.led(lambda: told(_rows(size, seed), say, _line))
    show(comm, say, out / "nonlocal.png", _draw, rows, size)
    return rows


def _rows(size: int, seed: int) -> Iterator[Row]:
    space = ConformalTorus(ConformalTorus.Keys(points=size))
    rough = noise(size, seed)
    yield Row("spectrum", -1.0, spectrum=spectrum(rough))
    for width in WIDTHS:
        u = flowed(space, TIME, width, rough)
        yield Row("spectrum", width, kept=kept(rough, u), spectrum=spectrum(u))
    there = flowed(space, TIME, 0.5, rough, share=0.01)
    yield Row("backwards", 0.5, off=float(np.abs(flowed(space, -TIME, 0.5, there, share=0.01) - rough).max()))
    for height in HEIGHTS:
        yield Row("positivity", threshold(height), height)


def noise(size: int, seed: int) -> np.ndarray:
    """v = e^f, f of every wave of |k| up to the last band with the same mean square, of rms ROUGH: (1, n, n)."""
    draws = streams.modes(seed).standard_normal((size, size))
    waves = np.fft.rfft2(draws) * ((_square(size) > 0) & (_square(size) <= BANDS[-1][1] ** 2))
    f = np.fft.irfft2(waves, s=(size, size))
    return np.exp(ROUGH * f / f.std())[None]


def spectrum(u: np.ndarray) -> list[float]:
    """Power of log v in shells k - 1/2 < |k| <= k + 1/2, k from 1 to 24."""
    power = np.abs(np.fft.rfft2(np.log(u[0]))) ** 2 / u[0].size ** 2
    shell = np.sqrt(_square(u.shape[1]))
    return [float(power[(shell > k - 0.5) & (shell <= k + 0.5)].sum()) for k in range(1, 25)]


def kept(before: np.ndarray, after: np.ndarray) -> list[float]:
    """The power of log v after over before, band by band."""
    first, last = (np.array(spectrum(u)) for u in (before, after))
    return [float(last[low - 1 : high].sum() / first[low - 1 : high].sum()) for low, high in BANDS]


def threshold(height: float) -> float:
    """The width above which the dimple of a hill sinks to v = 0 before it is filled, by halving an interval of widths."""
    low, high = BETWEEN
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if sinks(height, middle) else (middle, high)
    return (low + high) / 2


def sinks(height: float, width: float) -> bool:
    """Whether positivity is lost at a width."""
    space = ConformalTorus(ConformalTorus.Keys(points=SIDE, height=height, depth=DEPTH, dimple=DIMPLE))
    u, t = space.start(), 0.0
    least = LOST * u.min()
    for _ in range(MOST):
        dt = 0.5 * space.step_limit(u, width)
        with np.errstate(invalid="ignore"):
            u, t = rk4.step(lambda u: space.ricci(u, width), u, dt), t + dt
        # NaN, too, is lost.
        if not u.min() > least:
            return True
        if t > WATCHED or u[0, 0, 0] > FILLED * u.max():
            return False
    return False


def _square(size: int) -> np.ndarray:
    wave = np.fft.fftfreq(size, 1 / size)
    return wave[:, None] ** 2 + wave[: size // 2 + 1] ** 2


def claims(rows: list[Row]) -> list[Claim]:
    """What the theory says of waves and of an ODE; and that the higher a hill, the narrower the kernel must be."""
    local, half = (row for row in rows if row.what == "spectrum" and row.width in (0.0, 0.5))
    back = next(row.off for row in rows if row.what == "backwards")
    found = [
        Claim("s = .5: power kept at |k| = 9 to 13", "1 (frozen above 1 / s)", half.kept[-1], 0.99, 1.01),
        Claim("s = 0: power kept at |k| = 9 to 13", "0 to rounding", local.kept[-1], 0, 1e-14),
        Claim("s = .5: power kept at |k| = 1 to 4", "falls", half.kept[0], 0, 0.9),
        Claim("s = .5, forth and back: greatest |v - v_0|", "0: an ODE", back, 0, 1e-10),
    ]
    hills = [row for row in rows if row.what == "positivity"]
    low, high = BETWEEN
    for row in hills:
        what = f"hill of height {row.height:g} with a dimple of width {DIMPLE:g}: lost above s"
        found.append(Claim(what, "a width: the local flow fills it", row.width, 1.01 * low, 0.99 * high))
    for lower, higher in pairwise(hills):
        what = f"that of height {higher.height:g} over that of {lower.height:g}"
        found.append(Claim(what, "below 1", higher.width / lower.width, 0, 0.98))
    return found


def _line(row: Row) -> str:
    if row.what == "positivity":
        return f"hill of height {row.height:g}: positivity is lost above s = {row.width:.3f}"
    if row.what == "backwards":
        return f"s = {row.width:g}, to t = {TIME:g} and back: |v - v_0| {row.off:.1e}"
    if not row.kept:
        return "power of log v left at t = 0.5, |k| = " + "".join(f"{low:>6}-{high:<5}" for low, high in BANDS)
    return f"{'s = ' + format(row.width, 'g'):>39}" + "".join(f"{part:12.3g}" for part in row.kept)


def _draw(path: Path, rows: list[Row], size: int) -> None:
    spectra = [row for row in rows if row.what == "spectrum"]
    hills = [row for row in rows if row.what == "positivity"]
    with picture(path, columns=2) as (left, right):
        for number, row in enumerate(spectra):
            label = f"t = {TIME:g}, s = {row.width:g}" if row.kept else "t = 0"
            shells = np.arange(1, len(row.spectrum) + 1)
            style = (
                {"color": "0.4", "lw": 3, "alpha": 0.5}
                if not row.kept
                else {"color": f"C{number}", "marker": "o", "ms": 3}
            )
            left.semilogy(shells, np.maximum(row.spectrum, 1e-36), label=label, **style)
        right.plot([row.height for row in hills], [row.width for row in hills], "o-", label="lost above")
        right.set_ylim(0, None)
        low, high = BANDS[0][0], BANDS[-1][1]
        left.set_xlim(low - 0.5, high + 3.5)
        left.set_ylim(1e-24, 1)
        title = f"noise of |k| <= {high}, {size} x {size} points"
        finished(left, xlabel="|k|", ylabel="power of log v", title=title)
        finished(
            right, xlabel="height of the hill", ylabel="width s of the kernel", title="a dimple of width .15 sinks to 0"
        )
