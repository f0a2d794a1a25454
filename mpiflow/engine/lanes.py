"""Arithmetic on vector registers: formulas written with `Lanes` become LLVM code, compiled at first use.

Fused tiles are limited by how well the registers are used, which a loop vectoriser does not get right;
here one `Lanes` is one register, whatever the processor's width, and a loop's carried values stay in registers.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from functools import cache

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir

I64 = ir.IntType(64)
_FLOAT = {np.dtype(np.float32): ir.FloatType(), np.dtype(np.float64): ir.DoubleType()}
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

    __radd__, __rmul__ = __add__, __mul__

    def __gt__(self, other) -> ir.Value:
        return self.builder.fcmp_ordered(">", self.value, self._as(other))

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


class Code:
    """One compiled function of pointers and integers, while it is being written."""

    def __init__(self, dtype: np.dtype, pointers: int, integers: int):
        self.scalar = _FLOAT[np.dtype(dtype)]
        self.vector = ir.VectorType(self.scalar, lanes(dtype))
        kind = ir.FunctionType(I64, [ir.PointerType()] * pointers + [I64] * integers)
        self.function = ir.Function(ir.Module(), kind, "tile")
        self.builder = ir.IRBuilder(self.function.append_basic_block())

    def at(self, pointer: ir.Value, index: ir.Value, kind: ir.Type | None = None) -> ir.Value:
        """The address of the index-th number (of the code's own type, unless another is given)."""
        return self.builder.gep(pointer, [index], source_etype=kind or self.scalar)

    def load(self, pointer: ir.Value, index: ir.Value, count: int) -> list[Lanes]:
        """`count` consecutive registers, from the index-th number on."""
        width = self.vector.count
        where = [self.at(pointer, self.builder.add(index, I64(k * width))) for k in range(count)]
        return [Lanes(self.builder, self.builder.load(w, typ=self.vector, align=4)) for w in where]

    def store(self, lanes: Lanes, pointer: ir.Value, index: ir.Value) -> None:
        self.builder.store(lanes.value, self.at(pointer, index), align=4)

    def broadcast(self, pointer: ir.Value, index: ir.Value, count: int) -> list[Lanes]:
        """`count` consecutive numbers, from the index-th on, each in all lanes of a register."""
        b, first = self.builder, ir.Constant(ir.VectorType(ir.IntType(32), self.vector.count), None)
        none = ir.Constant(self.vector, ir.Undefined)
        registers = []
        for k in range(count):
            number = b.load(self.at(pointer, b.add(index, I64(k))), typ=self.scalar)
            registers.append(Lanes(b, b.shuffle_vector(b.insert_element(none, number, I64(0)), none, first)))
        return registers

    def zeros(self, count: int) -> list[Lanes]:
        return [Lanes(self.builder, ir.Constant(self.vector, None))] * count

    def loop(self, start: ir.Value, stop: ir.Value, step: int, body: Callable, carried: Sequence[Lanes] = ()) -> list:
        """for i in range(start, stop, step): carried = body(i, carried). Returns what was carried last."""
        b, before = self.builder, self.builder.block
        head, inside, after = (b.append_basic_block() for _ in range(3))
        b.branch(head)
        b.position_at_end(head)
        index, values = b.phi(I64), [b.phi(item.value.type) for item in carried]
        b.cbranch(b.icmp_signed("<", index, stop), inside, after)
        b.position_at_end(inside)
        results = body(index, [Lanes(b, value) for value in values]) or []
        following, end = b.add(index, I64(step)), b.block
        b.branch(head)
        for phi, first, last in zip(
            [index, *values],
            [start, *(i.value for i in carried)],
            [following, *(r.value for r in results)],
            strict=True,
        ):
            phi.add_incoming(first, before)
            phi.add_incoming(last, end)
        b.position_at_end(after)
        return [Lanes(b, value) for value in values]

    def compiled(self, result: ir.Value | None = None) -> Callable:
        """End the function with a result (0 by default); machine code, called with addresses and integers."""
        self.builder.ret(result or I64(0))
        module = llvm.parse_assembly(str(self.function.module))
        machine = _machine()
        passes = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=3))
        passes.getModulePassManager().run(module, passes)
        engine = llvm.create_mcjit_compiler(module, machine)
        engine.finalize_object()
        kind = ctypes.CFUNCTYPE(ctypes.c_int64, *[_CTYPE[type(arg.type)] for arg in self.function.args])
        call = kind(engine.get_function_address("tile"))
        call.engine = engine  # the code lives as long as its engine
        return call


_CTYPE = {ir.PointerType: ctypes.c_void_p, ir.IntType: ctypes.c_int64}


@cache
def _features() -> llvm.FeatureMap:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.get_host_cpu_features()


def lanes(dtype) -> int:
    """How many numbers of this type one vector register holds."""
    size = 64 if _features().get("avx512f") else 32 if _features().get("avx") else 16
    return size // np.dtype(dtype).itemsize


def _machine() -> llvm.TargetMachine:
    # LLVM halves the widest registers on some processors ("prefer-256-bit"): 2.5 times slower here.
    features = _features().flatten() + (",-prefer-256-bit" if _features().get("avx512f") else "")
    target = llvm.Target.from_default_triple()
    return target.create_target_machine(cpu=llvm.get_host_cpu_name(), features=features, opt=3, jit=True)
