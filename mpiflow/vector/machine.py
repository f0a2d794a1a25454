"""Machine code for this processor, from formulas on `Lanes`; compiled at first use."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from functools import cache

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir

from mpiflow.vector.lanes import I64, Lanes

# Bytes of a cache line, and of the widest register.
_LINE = 64
_FLOAT = {np.dtype(np.float32): ir.FloatType(), np.dtype(np.float64): ir.DoubleType()}


class Code:
    """One function of pointers and integers, while it is being written; what a loop carries stays in registers."""

    def __init__(self, dtype: np.dtype, pointers: int, integers: int):
        self.scalar = _FLOAT[np.dtype(dtype)]
        self.vector = ir.VectorType(self.scalar, lanes(dtype))
        kind = ir.FunctionType(I64, [ir.PointerType()] * pointers + [I64] * integers)
        self.function = ir.Function(ir.Module(), kind, "tile")
        self.builder = ir.IRBuilder(self.function.append_basic_block())

    def at(self, pointer: ir.Value, index: ir.Value, kind: ir.Type | None = None) -> ir.Value:
        """The address of the index-th number (of the code's own type, unless another is given)."""
        return self.builder.gep(pointer, [index], source_etype=kind or self.scalar)

    def integer(self, pointer: ir.Value, index: ir.Value) -> ir.Value:
        """The index-th of a pointer's 64-bit integers."""
        return self.builder.load(self.at(pointer, index, I64), typ=I64)

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

    def add_wide(self, terms: Sequence[Lanes], pointer: ir.Value, index: ir.Value) -> None:
        """Add registers, as float64, to as many consecutive ones from the index-th number on."""
        b, wide = self.builder, ir.VectorType(ir.DoubleType(), self.vector.count)
        for k, term in enumerate(terms):
            where = self.at(pointer, b.add(index, I64(k * wide.count)), ir.DoubleType())
            b.store(b.fadd(b.load(where, typ=wide, align=8), term.widened().value), where, align=8)

    def zeros(self, count: int) -> list[Lanes]:
        return [Lanes(self.builder, ir.Constant(self.vector, None))] * count

    def loop(
        self,
        start: ir.Value,
        stop: ir.Value,
        step: int,
        body: Callable,
        carried: Sequence[Lanes] = (),
        more: Callable | None = None,
    ) -> list:
        """for i in range(start, stop, step): carried = body(i, carried), as long as more(carried).

        Returns what was carried last.
        """
        b, before = self.builder, self.builder.block
        head, inside, after = (b.append_basic_block() for _ in range(3))
        b.branch(head)
        b.position_at_end(head)
        index, values = b.phi(I64), [b.phi(item.value.type) for item in carried]
        go = b.icmp_signed("<", index, stop)
        go = go if more is None else b.and_(go, more([Lanes(b, value) for value in values]))
        b.cbranch(go, inside, after)
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


def aligned(shape: Sequence[int], dtype) -> np.ndarray:
    """Memory (not set) that begins where a register does: one that straddles two cache lines takes two loads."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.empty(size + _LINE, np.uint8)
    start = -raw.ctypes.data % _LINE
    return raw[start : start + size].view(dtype).reshape(shape)


def grouped(records: np.ndarray, precision: str) -> np.ndarray:
    """Records (N, p) as (groups, p, lanes), aligned; the last group is filled up with copies of row 0."""
    width = lanes(precision)
    padded = np.concatenate([records, np.broadcast_to(records[:1], (-len(records) % width, records.shape[1]))])
    groups = aligned((len(padded) // width, records.shape[1], width), precision)
    groups[:] = padded.reshape(-1, width, records.shape[1]).transpose(0, 2, 1)
    return groups


def _machine() -> llvm.TargetMachine:
    # LLVM halves the widest registers on some processors ("prefer-256-bit"): 2.5 times slower here.
    features = _features().flatten() + (",-prefer-256-bit" if _features().get("avx512f") else "")
    target = llvm.Target.from_default_triple()
    return target.create_target_machine(cpu=llvm.get_host_cpu_name(), features=features, opt=3, jit=True)
