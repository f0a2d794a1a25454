"""Profiles as CUDA: the interface of `Lanes`, whose formulas become the text of one fused kernel.

The text is compiled and checked as C on a CPU by its test; it has not yet run on a GPU.
"""

from __future__ import annotations

from collections.abc import Sequence

#: Sources in shared memory at a time, and targets (threads) a block.
STRETCH = 128


class Text:
    """A number in a program that is being written: each operation appends a line and names its result."""

    def __init__(self, lines: list[str], precision: str, name: str):
        self.lines, self.precision, self.name = lines, precision, name

    def __add__(self, other) -> Text:
        return self._let(f"{self.name} + {self._as(other)}")

    def __sub__(self, other) -> Text:
        return self._let(f"{self.name} - {self._as(other)}")

    def __rsub__(self, other) -> Text:
        return self._let(f"{self._as(other)} - {self.name}")

    def __mul__(self, other) -> Text:
        return self._let(f"{self.name} * {self._as(other)}")

    __radd__, __rmul__ = __add__, __mul__

    def __gt__(self, other) -> str:
        return f"{self.name} > {self._as(other)}"

    def fma(self, factor, term) -> Text:
        return self._call("fma", factor, term)

    def sqrt(self) -> Text:
        return self._call("sqrt")

    def abs(self) -> Text:
        return self._call("fabs")

    def max(self, other) -> Text:
        return self._call("fmax", other)

    def min(self, other) -> Text:
        return self._call("fmin", other)

    def where(self, mask: str, yes, no) -> Text:
        return self._let(f"{mask} ? {self._as(yes)} : {self._as(no)}")

    def polynomial(self, coefficients: Sequence) -> Text:
        total = self._let(self._as(coefficients[-1]))
        for coefficient in coefficients[-2::-1]:
            total = total.fma(self, coefficient)
        return total

    def exp2(self, coefficients: Sequence) -> Text:
        return self._call("exp2")

    def _call(self, function: str, *others) -> Text:
        suffix = "f" if self.precision == "float32" else ""
        return self._let(f"{function}{suffix}({', '.join([self.name, *map(self._as, others)])})")

    def _let(self, expression: str) -> Text:
        name = f"t{len(self.lines)}"
        self.lines.append(f"const real {name} = {expression};")
        return Text(self.lines, self.precision, name)

    def _as(self, other) -> str:
        return other.name if isinstance(other, Text) else f"(real){float(other)!r}"


def value(profile) -> str:
    """`real value(x, y, parameters)`: a profile's kernel as a C function."""
    lines: list[str] = []
    x, y, parameters = (
        [Text(lines, profile.precision, f"{name}[{k}]") for k in range(count)]
        for name, count in (("x", profile.numbers), ("y", profile.numbers), ("parameters", profile.n_parameters))
    )
    result = profile.value(x, y, parameters).name
    body = "\n  ".join(lines)
    kind = "float" if profile.precision == "float32" else "double"
    return (
        f"typedef {kind} real;\n"
        "DEVICE real value(const real *x, const real *y, const real *parameters) {\n"
        f"  {body}\n  return {result};\n}}\n"
    )


def step(profile, columns: int) -> str:
    """CUDA source of `step(x, y, parameters, u, rows, sources)`: u[row] = sum_j K(x_row, y_j) v_j.

    x: (rows, numbers), y: (sources, numbers + columns) in the profile's precision, v after each point; u: (rows,
    columns) double. A row is one thread, sums of a stretch are in its precision and those of stretches in double.
    """
    n, size = profile.numbers, profile.numbers + columns
    return f"""#define DEVICE __device__ __forceinline__
{value(profile)}
extern "C" __global__ void step(const real *x, const real *y, const real *parameters, double *u,
                                long long rows, long long sources) {{
  __shared__ real shared[{STRETCH * size}];
  const long long row = (long long)blockIdx.x * {STRETCH} + threadIdx.x;
  real point[{n}], constants[{profile.n_parameters}];
  for (int k = 0; k < {n}; k++) point[k] = x[(row < rows ? row : 0) * {n} + k];
  for (int k = 0; k < {profile.n_parameters}; k++) constants[k] = parameters[k];
  double total[{columns}] = {{0}};
  for (long long first = 0; first < sources; first += {STRETCH}) {{
    const int count = (int)(sources - first < {STRETCH} ? sources - first : {STRETCH});
    __syncthreads();
    for (int k = threadIdx.x; k < count * {size}; k += {STRETCH}) shared[k] = y[first * {size} + k];
    __syncthreads();
    real part[{columns}] = {{0}};
    for (int j = 0; j < count; j++) {{
      const real *source = shared + j * {size};
      const real k = value(point, source, constants);
      #pragma unroll
      for (int c = 0; c < {columns}; c++) part[c] += k * source[{n} + c];
    }}
    #pragma unroll
    for (int c = 0; c < {columns}; c++) total[c] += part[c];
  }}
  if (row < rows) for (int c = 0; c < {columns}; c++) u[row * {columns} + c] = total[c];
}}
"""
