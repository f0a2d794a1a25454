"""Complex arithmetic on vector registers, lane by lane, without the scaling that guards division against overflow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llvmlite import ir

from mpiflow.vector.lanes import Lanes


@dataclass(frozen=True)
class Complex:
    """A complex number in each lane."""

    real: Lanes
    imag: Lanes

    def __add__(self, other: Complex) -> Complex:
        return Complex(self.real + other.real, self.imag + other.imag)

    def __sub__(self, other: Complex) -> Complex:
        return Complex(self.real - other.real, self.imag - other.imag)

    def __mul__(self, other: Complex) -> Complex:
        return Complex(
            (-self.imag).fma(other.imag, self.real * other.real), self.imag.fma(other.real, self.real * other.imag)
        )

    def __rsub__(self, other: float) -> Complex:
        return Complex(other - self.real, -self.imag)

    def fma(self, factor: Complex, term: Complex) -> Complex:
        """self * factor + term."""
        return Complex(
            (-self.imag).fma(factor.imag, self.real.fma(factor.real, term.real)),
            self.imag.fma(factor.real, self.real.fma(factor.imag, term.imag)),
        )

    def times(self, factor: Lanes | float) -> Complex:
        """The product with a real number."""
        return Complex(self.real * factor, self.imag * factor)

    def conjugate(self) -> Complex:
        return Complex(self.real, -self.imag)

    def square(self) -> Lanes:
        """|x|^2."""
        return self.real.fma(self.real, self.imag * self.imag)

    def inverse(self) -> Complex:
        """1 / x, and 0 for 0."""
        square = self.square()
        return self.conjugate().times(square.where(square > 0.0, 1.0 / square, 0.0))

    def where(self, mask: ir.Value, other: Complex) -> Complex:
        """self where the mask is set, else other."""
        return Complex(self.real.where(mask, self.real, other.real), self.imag.where(mask, self.imag, other.imag))


def flat(numbers: Sequence[Complex]) -> list[Lanes]:
    """Real, imaginary, real, imaginary, ..."""
    return [part for number in numbers for part in (number.real, number.imag)]


def paired(parts: Sequence[Lanes]) -> list[Complex]:
    """The numbers of `flat`."""
    return [Complex(*pair) for pair in zip(parts[::2], parts[1::2], strict=True)]
