"""From a root of the expanded polynomial to a point of X: scaled, polished, with its chart and slopes (theory 1).

The roots of the expanded polynomial carry its rounding, those of Q itself do not. A point is a lane.
"""

from __future__ import annotations

from collections.abc import Callable

from mpiflow.vector.complex_lanes import Complex, flat, paired
from mpiflow.vector.lanes import I64, Lanes
from mpiflow.vector.machine import Code

# |Q|^2 that needs no more polishing, and Newton steps after which a point stays as it is.
_DONE, _STEPS = 1e-28, 4


def polished(code: Code, point: list[Complex], gradient: Callable) -> tuple[list[Complex], list[Lanes], list[Lanes]]:
    """The point in its patch, |dQ/dz_i|^2 there, and its chart (i, j); gradient(point): Q and all dQ/dz_i.

    Newton's method moves the coordinate that Q is most sensitive to; a lane that is done waits for the others.
    """
    point, top = _scaled(point)
    size = len(point)

    def look(z):
        value, slope = gradient(z)
        slope2, j, steepest = _steepest(slope, top)
        return [*flat(z), *slope2, j, *flat([value * steepest.inverse()]), value.square()]

    def body(_, carried):
        z, (j, *step, residual) = paired(carried[: 2 * size]), carried[3 * size :]
        moving, (step,) = residual > _DONE, paired(step)
        moved = [(x - step).where(code.builder.and_(moving, j.equals(i)), x) for i, x in enumerate(z)]
        return look(moved)

    def more(carried):
        return code.builder.fcmp_ordered(">", carried[-1].largest(), code.scalar(_DONE))

    found = code.loop(I64(0), I64(_STEPS), 1, body, look(point), more)
    return paired(found[: 2 * size]), found[2 * size : 3 * size], [top, found[3 * size]]


def _scaled(point: list[Complex]) -> tuple[list[Complex], Lanes]:
    """Scaled so that the coordinate of largest modulus is 1, and which that is."""
    top, largest = _largest(point, [z.square() for z in point])
    inverse = largest.inverse()
    one = Complex(top * 0.0 + 1.0, top * 0.0)
    return [one.where(top.equals(i), z * inverse) for i, z in enumerate(point)], top


def _steepest(slope: list[Complex], top: Lanes) -> tuple[list[Lanes], Lanes, Complex]:
    """|dQ/dz_i|^2; the j other than the chart's i where it is largest; and dQ/dz_j."""
    slope2 = [s.square() for s in slope]
    return slope2, *_largest(slope, [s.where(top.equals(i), -1.0, s) for i, s in enumerate(slope2)])


def _largest(numbers: list[Complex], squares: list[Lanes]) -> tuple[Lanes, Complex]:
    """Index of the largest square, the lowest on ties, and that number."""
    index, number, best = squares[0] * 0.0, numbers[0], squares[0]
    for i in range(1, len(numbers)):
        larger = squares[i] > best
        index, number = index.where(larger, float(i), index), numbers[i].where(larger, number)
        best = best.where(larger, squares[i], best)
    return index, number


def gradient(code: Code, point: list[Complex], table, term: Callable, terms) -> tuple[Complex, list[Complex]]:
    """Q and dQ/dz_i, monomial by monomial, from tables of powers and their derivatives.

    table: memory for 4 (n+1) (n+2) registers. term(m): the m-th monomial's coefficient and its exponents.
    """
    size, width = len(point), code.vector.count
    for i, z in enumerate(point):
        power, derivative = Complex(z.real * 0.0 + 1.0, z.real * 0.0), Complex(z.real * 0.0, z.real * 0.0)
        for e in range(size + 1):
            for k, register in enumerate(flat([power, derivative])):
                code.store(register, table, I64(((i * (size + 1) + e) * 4 + k) * width))
            power, derivative = power * z, power.times(e + 1.0)

    def body(m, total):
        b = code.builder
        coefficient, exponents = term(m)
        after, factors = [coefficient], []
        for i, e in enumerate(exponents):
            place = b.mul(b.add(e, I64(i * (size + 1))), I64(4 * width))
            factors.append(paired(code.load(table, place, 4)))
            after.append(after[-1] * factors[-1][0])
        value, partials, before = after.pop(), [], None
        for i in reversed(range(size)):
            power, derivative = factors[i]
            partial = after[i] * derivative
            partials.insert(0, partial if before is None else partial * before)
            before = power if before is None else before * power
        return [one + other for one, other in zip(total, flat([value, *partials]), strict=True)]

    value, *slopes = paired(code.loop(I64(0), terms, 1, body, code.zeros(2 * size + 2)))
    return value, slopes
