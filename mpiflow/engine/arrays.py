"""Profiles on whole arrays: the interface of `Lanes` for any array library, numpy, CuPy or the array API standard."""

from __future__ import annotations

from collections.abc import Sequence
from math import log


class Arrays:
    """An array that answers to what formulas ask of `Lanes`; shapes broadcast."""

    def __init__(self, xp, value):
        self.xp, self.value = xp, value

    def __add__(self, other) -> Arrays:
        return self._of(self.value + _value(other))

    def __sub__(self, other) -> Arrays:
        return self._of(self.value - _value(other))

    def __rsub__(self, other) -> Arrays:
        return self._of(_value(other) - self.value)

    def __mul__(self, other) -> Arrays:
        return self._of(self.value * _value(other))

    __radd__, __rmul__ = __add__, __mul__

    def __gt__(self, other):
        return self.value > _value(other)

    def fma(self, factor, term) -> Arrays:
        return self * factor + term

    def sqrt(self) -> Arrays:
        return self._of(self.xp.sqrt(self.value))

    def abs(self) -> Arrays:
        return self._of(self.xp.abs(self.value))

    def max(self, other) -> Arrays:
        return self.where(self > other, self, other)

    def min(self, other) -> Arrays:
        return self.where(self > other, other, self)

    def where(self, mask, yes, no) -> Arrays:
        yes, no = (self._like(item) for item in (yes, no))
        return self._of(self.xp.where(mask, yes, no))

    def polynomial(self, coefficients: Sequence) -> Arrays:
        total = self * 0.0 + coefficients[-1]
        for coefficient in coefficients[-2::-1]:
            total = total * self + coefficient
        return total

    def exp2(self, coefficients: Sequence) -> Arrays:
        return self._of(self.xp.exp(self.value * log(2)))

    def _of(self, value) -> Arrays:
        return Arrays(self.xp, value)

    def _like(self, item):
        return _value(item) if isinstance(item, Arrays) else self.value * 0.0 + item


def _value(other):
    return other.value if isinstance(other, Arrays) else other
