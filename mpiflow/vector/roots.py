"""A polynomial Q restricted to a line, and all its roots at once by Aberth's iteration; a line is a lane (theory 2)."""

from __future__ import annotations

import math
from collections.abc import Callable

from mpiflow.vector.complex_lanes import Complex, flat, paired
from mpiflow.vector.lanes import I64, Lanes
from mpiflow.vector.machine import Code

# Aberth's iteration converges cubically; eighty rounds are reached only by multiple roots.
_ROUNDS = 80
# Squared relative step after which the next one, about its cube, is below rounding.
_DONE = 1e-11


def expanded(code: Code, size: int, term: Callable, terms) -> list[Complex]:
    """Coefficients of Q(a + t b) in t, ascending: each monomial is a product of n+1 linear factors.

    term(m): the m-th monomial's coefficient, and the pairs (a_i, b_i) of its n+1 factors.
    """

    def body(m, total):
        coefficient, factors = term(m)
        product = [coefficient]
        for a, b in factors:
            middle = [high.fma(a, low * b) for low, high in zip(product[:-1], product[1:], strict=True)]
            product = [product[0] * a, *middle, product[-1] * b]
        return [one + other for one, other in zip(total, flat(product), strict=True)]

    return paired(code.loop(I64(0), terms, 1, body, code.zeros(2 * size + 2)))


def aberth(code: Code, poly: list[Complex]) -> list[Complex]:
    """All roots of a polynomial, ascending coefficients. A lane that is done waits unchanged for the others."""

    def body(_, carried):
        *parts, before = carried
        roots, moving, largest = paired(parts), before > _DONE, before * 0.0
        for k, x in enumerate(roots):
            step = _step(poly, x, roots[:k] + roots[k + 1 :])
            roots[k] = (x - step).where(moving, x)
            largest = largest.max(step.square() * (1.0 / (x.square() + 1e-300)))
        return [*flat(roots), largest.where(moving, largest, before)]

    def more(carried):
        return code.builder.fcmp_ordered(">", carried[-1].largest(), code.scalar(_DONE))

    start = flat(_circle(poly))
    return paired(code.loop(I64(0), I64(_ROUNDS), 1, body, [*start, start[0] * 0.0 + 1.0], more)[:-1])


def _circle(poly: list[Complex]) -> list[Complex]:
    """Where the iteration starts: on about the circle that the product of the roots lies on."""
    degree = len(poly) - 1
    radius: Lanes = (poly[0].square() * (1.0 / poly[-1].square())).roughly_to(0.5 / degree)
    # An offset that no symmetry of the coefficients can share with the circle.
    angles = [2 * math.pi * k / degree + 0.4 for k in range(degree)]
    return [Complex(radius * math.cos(angle), radius * math.sin(angle)) for angle in angles]


def _step(poly: list[Complex], x: Complex, others: list[Complex]) -> Complex:
    """Newton's step, longer the more the other roots repel."""
    slope, value = poly[-1], poly[-1].fma(x, poly[-2])
    for coefficient in poly[-3::-1]:
        slope, value = slope.fma(x, value), value.fma(x, coefficient)
    newton = value * slope.inverse()
    first, *rest = [(x - other).inverse() for other in others]
    repulsion = sum(rest, first)
    return newton * (1.0 - newton * repulsion).inverse()
