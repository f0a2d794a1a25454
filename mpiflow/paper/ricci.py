"""Ricci flow where it is known exactly: Rosenau's sphere becoming round, the cigar, and a neck that pinches (HR 2.39)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mpiflow.comm import Comm
from mpiflow.grids import rk4
from mpiflow.grids.course import flowed
from mpiflow.grids.neck import Neck
from mpiflow.grids.plane import Plane
from mpiflow.grids.space import Space
from mpiflow.grids.sphere import Sphere
from mpiflow.grids.three_sphere import ThreeSphere
from mpiflow.paper.claims import Claim
from mpiflow.paper.picture import finished, picture, show, told

TITLE = "Ricci flow: Rosenau's sphere becomes round, the cigar stands still, a neck pinches (HR 2.39)"
SIZES = {"laptop": 32, "node": 64, "cluster": 128}
#: Points of spheres and of the plane; the circle of the neck has four times as many.
LEAST, AROUND = 24, 4
#: Time that Rosenau's sphere has; widths of kernels, each twice the next; amplitude of the neck, kernels there, each step over
#: the longest stable one, and the square of its radius at which it is left.
LEFT, WIDTHS, AMPLITUDE, NECKS, SHARE, THIN = 1.5, (0.4, 0.2, 0.1, 0.05), 0.3, (0.0, 0.1, 0.2, 0.4), 0.5, 4e-3


@dataclass(frozen=True)
class Row:
    """One flow to a time: off, the greatest |g - exact|; said, what else is measured of it; curves, of the picture."""

    flow: str
    width: float
    time: float
    off: float = np.nan
    said: float = np.nan
    curves: list[list[float]] | None = None


def run(comm: Comm, out: Path, size: int, say: Callable[[str], None], seed: int = 1) -> list[Row]:
    """Flow each on `size` points, on rank 0, and draw out/ricci.png; collective. Nothing is random."""
    rows = comm.led(lambda: told(_rows(size), say, _line))
    show(comm, say, out / "ricci.png", _draw, rows, size)
    return rows


def _rows(size: int) -> Iterator[Row]:
    for name, space, time in (
        ("round S^2", Sphere(Sphere.Keys(points=size)), 0.4),
        ("round S^3", ThreeSphere(ThreeSphere.Keys(points=size)), 0.2),
        ("round S^1 x S^2", Neck(Neck.Keys(points=size)), 0.4),
    ):
        yield Row(name, 0.0, time, _off(space, flowed(space, time), time))
    yield from _rosenau(Sphere(Sphere.Keys(points=size, rosenau=LEFT)))
    yield from _cigar(Plane(Plane.Keys(points=size)))
    for width in NECKS:
        yield _pinch(Neck(Neck.Keys(points=AROUND * size, amplitude=AMPLITUDE)), width)


def _off(space: Space, u: np.ndarray, time: float) -> float:
    return float(np.abs(u - space.exact(time)).max())


def _rosenau(space: Sphere) -> Iterator[Row]:
    """In parts, each from where the last ended; then non-local to half the time left."""
    u, t = space.start(), 0.0
    for time in (0.0, 0.25, 0.5, 0.75, 0.98):
        u, t = flowed(space, time * LEFT - t, u=u, share=SHARE / 2), time * LEFT
        curves = [space.round.xi.tolist(), (u[0] / u[0].mean()).tolist(), (space.exact(t)[0] / u[0].mean()).tolist()]
        yield Row("Rosenau", 0.0, t, _off(space, u, t), space.measures(u)["unround"], curves)
    for width in WIDTHS:
        yield Row("Rosenau", width, LEFT / 4, _off(space, flowed(space, LEFT / 4, width), LEFT / 4))


def _cigar(space: Plane) -> Iterator[Row]:
    u, t = space.start(), 0.0
    for time in (0.0, 0.125, 0.25):
        u, t = flowed(space, time - t, u=u), time
        radius = np.sqrt(space.x / (1 - space.x))
        curves = [radius.tolist(), space.scalar(u).tolist(), _curvature(radius, t).tolist()]
        yield Row("cigar", 0.0, t, _off(space, u, t), space.measures(u)["unsteady"], curves)


def _curvature(radius: np.ndarray, time: float) -> np.ndarray:
    """R of the cigar (dx^2 + dy^2) / (a + r^2), a = e^(4t)."""
    return 4 * np.exp(4 * time) / (np.exp(4 * time) + radius**2)


def _pinch(space: Neck, width: float) -> Row:
    """When the neck pinches; said: the rate of the square of its radius there. Curves: radii at some times, and at the end."""
    u, t, curves = space.start(), 0.0, [np.sqrt(space.start()[1]).tolist()]
    while u[1].min() > THIN:
        dt = min(SHARE * space.step_limit(u, width), 0.1 * u[1].min())
        then = rk4.step(lambda u: space.ricci(u, width), u, dt)
        # Radii at every tenth of the square of the neck's first.
        if int(10 * then[1].min()) < int(10 * u[1].min()):
            curves.append(np.sqrt(then[1]).tolist())
        u, t = then, t + dt
    rate = float(space.ricci(u, width)[1, u[1].argmin()])
    return Row("neck", width, t + float(u[1].min()) / -rate, said=rate, curves=[*curves, np.sqrt(u[1]).tolist()])


def claims(rows: list[Row]) -> list[Claim]:
    """What is known exactly, and how far from it the flows are."""
    found = [
        Claim(f"{row.flow}: greatest |g - exact|", "0", row.off, 0, limit)
        for row, limit in zip(rows[:3], (1e-12, 1e-9, 1e-7), strict=True)
    ]
    local = {name: [row for row in rows if row.flow == name and not row.width] for name in ("Rosenau", "cigar", "neck")}
    wide = [row.off for row in rows if row.flow == "Rosenau" and row.width]
    sphere, cigar, neck = local["Rosenau"], local["cigar"], local["neck"][0]
    return [
        *found,
        Claim("Rosenau: greatest |v - exact|", "0", max(row.off for row in sphere), 0, 1e-10),
        Claim(
            "Rosenau: (max - min) / mean of v, last over first",
            "0 at the end",
            sphere[-1].said / sphere[0].said,
            0,
            0.05,
        ),
        Claim("Rosenau: order of g_s - g_0 in s", "2", float(np.log2(wide[-2] / wide[-1])), 1.9, 2.3),
        Claim("cigar: greatest |Ric + Hess phi|", "0", max(row.said for row in cigar), 0, 1e-5),
        Claim("cigar: greatest |p - exact|", "0", max(row.off for row in cigar), 0, 1e-7),
        Claim("neck: time of the pinch", "0.2574", neck.time, 0.2569, 0.2579),
        Claim("neck: rate of the square of its radius", "-2 at the pinch", neck.said, -2.0, -1.85),
    ]


def _line(row: Row) -> str:
    off = "" if np.isnan(row.off) else f"  |g - exact| {row.off:.1e}"
    words = {"Rosenau": "unround", "cigar": "|Ric + Hess phi|", "neck": "rate of radius^2"}
    said = "" if np.isnan(row.said) else f"  {words[row.flow]} {row.said:.4g}"
    return f"{row.flow:>16}  s = {row.width:<5g} t = {row.time:<8.5g}{off}{said}"


def _draw(path: Path, rows: list[Row], size: int) -> None:
    with picture(path, columns=3) as (left, middle, right):
        for axes, flow in ((left, "Rosenau"), (middle, "cigar")):
            shown = [row for row in rows if row.flow == flow and row.curves]
            for number, row in enumerate(shown):
                x, ours, exact = row.curves
                axes.plot(x, exact, color=f"C{number}", lw=1)
                axes.plot(x, ours, "o", color=f"C{number}", ms=3, label=f"t = {row.time:.3g}")
        middle.set_xscale("log")
        necks = [row for row in rows if row.flow == "neck"]
        for number, row in enumerate(necks[0].curves):
            x = 2 * np.pi * np.arange(len(row)) / len(row)
            right.plot(
                x,
                row,
                color="C0",
                alpha=0.3 + 0.7 * number / len(necks[0].curves),
                label="s = 0" if not number else None,
            )
        for number, row in enumerate(necks[1:], 1):
            x = 2 * np.pi * np.arange(len(row.curves[-1])) / len(row.curves[-1])
            right.plot(
                x,
                row.curves[-1],
                color=f"C{number}",
                ls="--",
                label=f"s = {row.width:g}, pinched at t = {row.time:.4f}",
            )
        finished(
            left, xlabel="cos theta", ylabel="v over its mean", title=f"Rosenau's sphere, {size} points (lines: exact)"
        )
        finished(middle, xlabel="r", ylabel="R", title="the cigar, moved by a diffeomorphism alone")
        title = f"S^1 x S^2: pinched at t = {necks[0].time:.4f}"
        finished(right, xlabel="x", ylabel="radius of the sphere", title=title)
