"""Profiles as CUDA: the interface of `Lanes`, whose formulas become the text of one function, C and CUDA alike."""

from __future__ import annotations

from collections.abc import Sequence

# Both are rounded once where the text says so and nowhere else: kernels are compiled with -fmad=false.
_PREAMBLE = """
#ifdef __CUDACC__
#define DEVICE __device__ __forceinline__
#define CONSTANT __constant__
DEVICE float root(float x) { return sqrtf(x); }
/* An estimate of 20 bits or more and one step of third order, within a unit of the last place; 1e-300 keeps 0 from 0 / 0. */
DEVICE double root(double x) {
  double estimate;
  x += 1e-300;
  asm("rsqrt.approx.ftz.f64 %0, %1;" : "=d"(estimate) : "d"(x));
  const double first = x * estimate, rest = fma(first, -estimate, 1.0);
  const double half = first * rest;
  return fma(half, fma(rest, 0.375, 0.5), first);
}
#else
#include <math.h>
#define DEVICE static
#define CONSTANT static const
#define root(x) sqrt(x)
#endif
/* power 2^n, n the integer in the lowest bits of `rounded`, for normal results. */
DEVICE double scaled(double power, double rounded) {
  union { double number; unsigned long long bits; } a, b;
  a.number = power, b.number = rounded;
  a.bits += b.bits << 52;
  return a.number;
}
"""

# 1.5 * 2^52: adding it rounds to an integer and leaves that integer in the lowest bits.
_ROUND = 6755399441055744.0


class Text:
    """A number in a program that is being written: each operation appends a line and names its result."""

    def __init__(self, lines: list[str], table: list[float], precision: str, name: str):
        self.lines, self.table, self.precision, self.name = lines, table, precision, name

    def __add__(self, other) -> Text:
        return self._let(f"{self.name} + {self._as(other)}")

    def __sub__(self, other) -> Text:
        return self._let(f"{self.name} - {self._as(other)}")

    def __rsub__(self, other) -> Text:
        return self._let(f"{self._as(other)} - {self.name}")

    def __mul__(self, other) -> Text:
        return self._let(f"{self.name} * {self._as(other)}")

    def __rtruediv__(self, other) -> Text:
        return self._let(f"{self._as(other)} / {self.name}")

    def __neg__(self) -> Text:
        return self._let(f"-{self.name}")

    __radd__, __rmul__ = __add__, __mul__

    def __gt__(self, other) -> str:
        return f"{self.name} > {self._as(other)}"

    def fma(self, factor, term) -> Text:
        return self._call("fma", factor, term)

    def sqrt(self) -> Text:
        return self._let(f"root({self.name})")

    def abs(self) -> Text:
        return self._call("fabs")

    def max(self, other) -> Text:
        return self._larger(other, ">")

    def min(self, other) -> Text:
        return self._larger(other, "<")

    def where(self, mask: str, yes, no) -> Text:
        return self._let(f"{mask} ? {self._as(yes)} : {self._as(no)}")

    def polynomial(self, coefficients: Sequence) -> Text:
        kept = [self._kept(c) for c in coefficients]
        total = self._let(self._as(kept[-1]))
        for coefficient in kept[-2::-1]:
            total = total.fma(self, coefficient)
        return total

    def exp2(self, coefficients: Sequence) -> Text:
        if self.precision == "float32":
            return self._call("exp2")
        rounded = self + _ROUND
        power = (self - (rounded - _ROUND)).polynomial(coefficients)
        return self._let(f"scaled({power.name}, {rounded.name})")

    def _larger(self, other, sign: str) -> Text:
        # One instruction in float32; in float64 there is none, and fmax would ask about NaN as well.
        if self.precision == "float32":
            return self._call("fmax" if sign == ">" else "fmin", other)
        return self._let(f"{self.name} {sign} {self._as(other)} ? {self.name} : {self._as(other)}")

    def _kept(self, coefficient):
        """A coefficient as an operand: of float64 one that lies in constant memory, where an instruction can have it."""
        if isinstance(coefficient, Text) or self.precision == "float32":
            return coefficient
        self.table.append(float(coefficient))
        return self._named(f"coefficients[{len(self.table) - 1}]")

    def _call(self, function: str, *others) -> Text:
        suffix = "f" if self.precision == "float32" else ""
        return self._let(f"{function}{suffix}({', '.join([self.name, *map(self._as, others)])})")

    def _let(self, expression: str) -> Text:
        name = f"t{len(self.lines)}"
        self.lines.append(f"const real {name} = {expression};")
        return self._named(name)

    def _named(self, name: str) -> Text:
        return Text(self.lines, self.table, self.precision, name)

    def _as(self, other) -> str:
        return other.name if isinstance(other, Text) else f"(real){float(other)!r}"


def value(profile) -> str:
    """`real value(x, y, p)`: a profile's kernel as a C function of two records and its `Parameters`."""
    lines, table = [], []
    x, y, parameters = (
        [Text(lines, table, profile.precision, f"{name}[{k}]") for k in range(count)]
        for name, count in (("x", profile.numbers), ("y", profile.numbers), ("p.values", profile.n_parameters))
    )
    result = profile.value(x, y, parameters).name
    body = "\n  ".join(lines)
    kind = "float" if profile.precision == "float32" else "double"
    constant = f"CONSTANT double coefficients[] = {{{', '.join(map(repr, table))}}};\n" if table else ""
    return (
        f"{_PREAMBLE}typedef {kind} real;\n"
        f"typedef struct {{ real values[{max(profile.n_parameters, 1)}]; }} Parameters;\n{constant}"
        "DEVICE real value(const real *x, const real *y, const Parameters p) {\n"
        f"  {body}\n  return {result};\n}}\n"
    )
