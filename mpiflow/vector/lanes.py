"""Arithmetic on vector registers: formulas written with `Lanes` become LLVM code (`machine.Code`).

Fused loops are limited by how well the registers are used, which a loop vectoriser does not get right;
here one `Lanes` is one register, whatever the processor's width.
"""

from __future__ import annotations

from collections.abc import Sequence

from llvmlite import ir

I64 = ir.IntType(64)
# 1.5 * 2^mantissa: adding it rounds to an integer and leaves that integer in the lowest bits.
_ROUND = {ir.FloatType(): (1.5 * 2**23, 23), ir.DoubleType(): (1.5 * 2**52, 52)}


class Lanes:
    """The values of one vector register; +, -, * and the methods act lane by lane, floats are broadcast."""

    def __init__(self, builder: ir.IRBuilder, value: ir.Value):
        self.builder, self.value = builder, value

    def __add__(self, other) -> Lanes:
        return self._of(self.builder.fadd(self.value, self._as(other)))

    def __sub__(self, other) -> Lanes:
        return self._of(self.builder.fsub(self.value, self._as(other)))

    def __rsub__(self, other) -> Lanes:
        return self._of(self.builder.fsub(self._as(other), self.value))

    def __mul__(self, other) -> Lanes:
        return self._of(self.builder.fmul(self.value, self._as(other)))

    def __rtruediv__(self, other) -> Lanes:
        return self._of(self.builder.fdiv(self._as(other), self.value))

    def __neg__(self) -> Lanes:
        return self._of(self.builder.fneg(self.value))

    __radd__, __rmul__ = __add__, __mul__

    def __gt__(self, other) -> ir.Value:
        return self.builder.fcmp_ordered(">", self.value, self._as(other))

    def equals(self, other) -> ir.Value:
        return self.builder.fcmp_ordered("==", self.value, self._as(other))

    def fma(self, factor, term) -> Lanes:
        """self * factor + term, rounded once where the processor can."""
        return self._call("fmuladd", self._as(factor), self._as(term))

    def sqrt(self) -> Lanes:
        return self._call("sqrt")

    def abs(self) -> Lanes:
        return self._call("fabs")

    def max(self, other) -> Lanes:
        return self.where(self > other, self, other)

    def min(self, other) -> Lanes:
        return self.where(self > other, other, self)

    def where(self, mask: ir.Value, yes, no) -> Lanes:
        """yes where the mask is set, else no."""
        return self._of(self.builder.select(mask, self._as(yes), self._as(no)))

    def largest(self) -> ir.Value:
        """The largest lane, as a scalar."""
        return self._call("vector.reduce.fmax", result=self.value.type.element).value

    def folded(self) -> Lanes:
        """The upper half of the lanes added to the lower."""
        b, half = self.builder, self.value.type.count // 2
        halves = [self._picked(range(start, start + half)) for start in (0, half)]
        return self._of(b.fadd(*halves))

    def widened(self) -> Lanes:
        """The same numbers in float64."""
        wide = ir.VectorType(ir.DoubleType(), self.value.type.count)
        return self if self.value.type == wide else self._of(self.builder.fpext(self.value, wide))

    def integers(self, scale: ir.Value) -> ir.Value:
        """The lanes (float64) times a scalar, rounded to 64-bit integers."""
        b, kind = self.builder, self.value.type
        none, first = ir.Constant(kind, ir.Undefined), ir.Constant(ir.VectorType(ir.IntType(32), kind.count), None)
        factor = b.shuffle_vector(b.insert_element(none, scale, I64(0)), none, first)
        rounded = (self * self._of(factor))._call("rint")
        return b.fptosi(rounded.value, ir.VectorType(I64, kind.count))

    def _picked(self, numbers) -> ir.Value:
        numbers = list(numbers)
        which = ir.Constant(ir.VectorType(ir.IntType(32), len(numbers)), numbers)
        return self.builder.shuffle_vector(self.value, ir.Constant(self.value.type, ir.Undefined), which)

    def polynomial(self, coefficients: Sequence) -> Lanes:
        """sum_k coefficients[k] self^k by Horner's rule."""
        total = self._of(self._as(coefficients[-1]))
        for coefficient in coefficients[-2::-1]:
            total = total.fma(self, coefficient)
        return total

    def exp2(self, coefficients: Sequence) -> Lanes:
        """2^self for normal results, given the polynomial of 2^f on [-1/2, 1/2]."""
        magic, shift = _ROUND[self.value.type.element]
        rounded = self + magic
        fraction = self - (rounded - magic)
        power = fraction.polynomial(coefficients).value
        bits = ir.VectorType(ir.IntType(32 if shift == 23 else 64), self.value.type.count)
        b = self.builder
        exponent = b.shl(b.bitcast(rounded.value, bits), ir.Constant(bits, [shift] * bits.count))
        return self._of(b.bitcast(b.add(b.bitcast(power, bits), exponent), self.value.type))

    def roughly_to(self, exponent: float) -> Lanes:
        """self^exponent within some percent, self > 0, float64: the bits, as an integer, are about a logarithm."""
        b, bits = self.builder, ir.VectorType(I64, self.value.type.count)
        logarithm = self._of(b.sitofp(b.bitcast(self.value, bits), self.value.type))
        scaled = logarithm.fma(exponent, (1 - exponent) * float(1023 << 52))
        return self._of(b.bitcast(b.fptosi(scaled.value, bits), self.value.type))

    def _of(self, value) -> Lanes:
        return Lanes(self.builder, value)

    def _as(self, other) -> ir.Value:
        if isinstance(other, Lanes):
            return other.value
        return ir.Constant(self.value.type, [float(other)] * self.value.type.count)

    def _call(self, name: str, *others: ir.Value, result: ir.Type | None = None) -> Lanes:
        kind = self.value.type
        name = f"llvm.{name}.v{kind.count}f{32 if kind.element == ir.FloatType() else 64}"
        signature = ir.FunctionType(result or kind, [kind] * (1 + len(others)))
        module = self.builder.module
        function = module.globals.get(name) or ir.Function(module, signature, name)
        return self._of(self.builder.call(function, [self.value, *others]))
