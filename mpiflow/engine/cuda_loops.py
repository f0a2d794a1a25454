"""The three loops over a tile as CUDA kernels: multiply as it is computed, store it, multiply what was stored.

A thread has two rows, and a block a span of the sources, of which a stretch at a time lies in shared memory. A row's sums
are taken in the same order by all three, source by source; those of a stretch in the tile's precision, all else in float64.
So its bits depend on nothing but itself and the sources: not on its block, the other rows, or whether tiles are kept.
"""

from __future__ import annotations

import numpy as np

from mpiflow.engine.cuda import value

#: Threads of a block, and sources of one: the grid has a row of blocks for each span, whose sums are added afterwards.
THREADS, SPAN = 128, 16384
#: Compiled so, a sum is rounded where its text says so, in whichever loop it stands.
OPTIONS = {"float32": ("-fmad=false", "-ftz=true", "-prec-sqrt=false"), "float64": ("-fmad=false",)}
#: Bytes of shared memory that a block has without asking; sources of a stretch where there is room; registers of a record.
SHARED, _STRETCH, RECORDS = 48 << 10, 128, 40


class Threads:
    """How the threads of a block lie: rows of each, and what a text says of them and of a source's record.

    profile: None where tiles are stored. item: bytes of a number.
    """

    def __init__(self, profile, columns: int, precision: str, rows: int):
        self.profile, self.columns, self.precision, self.rows = profile, columns, precision, rows
        self.numbers = profile.numbers if profile else 0
        self.item = np.dtype(precision).itemsize

    @property
    def block(self) -> int:
        """Rows of a block."""
        return self.rows * THREADS

    @property
    def record(self) -> int:
        """Numbers of a source with its columns, padded to whole registers of 16 bytes."""
        return padded(self.numbers + self.columns, self.precision)

    @property
    def vector(self) -> tuple[str, int]:
        """The type of 16 bytes, and its numbers."""
        return ("float4", 4) if self.item == 4 else ("double2", 2)

    @property
    def fma(self) -> str:
        """The fused multiplication of the precision."""
        return "fmaf" if self.item == 4 else "fma"

    @property
    def taken(self) -> str:
        """The parameters of the profile as arguments."""
        return "".join(f", const real {name}" for name in self._names)

    @property
    def parameters(self) -> str:
        """The same as what `value` takes."""
        return f"const Parameters parameters = {{{{{', '.join(self._names) or '0'}}}}};"

    @property
    def each_row(self) -> str:
        """A loop over the rows of a thread."""
        return f'_Pragma("unroll") for (int r = 0; r < {self.rows}; r++)'

    @property
    def each_column(self) -> str:
        """A loop over the columns."""
        return f'_Pragma("unroll") for (int c = 0; c < {self.columns}; c++)'

    @property
    def _names(self) -> list[str]:
        return [f"p{k}" for k in range(self.profile.n_parameters)] if self.profile else []


def rows_of(numbers: int, item: int) -> int:
    """Rows of a thread: two, or a long record in registers."""
    return 2 if numbers * item // 4 <= RECORDS else 1


class Loops(Threads):
    """The loops of a profile (None: of tiles that are stored, of so many rows a thread) on so many columns."""

    def __init__(self, profile, columns: int, precision: str, rows: int | None = None):
        numbers = profile.numbers if profile else 0
        super().__init__(profile, columns, precision, rows or rows_of(numbers, np.dtype(precision).itemsize))
        self.stretch = _STRETCH
        while self._shared > SHARED:
            self.stretch //= 2

    def streamed(self) -> str:
        """CUDA text of `streamed(x, y, u, rows, sources, p0, ...)`: u[span, row] = sum_j K(x_row, y_j) v_j over a span.

        x: (rows, numbers), y: (sources, record) in the profile's precision, v after each point, u: (spans, rows, columns)
        double; parameters one by one.
        """
        entry = "value(point[r], source, parameters)"
        return self._kernel("streamed", "const real *__restrict__ x, ", self._points, entry, value(self.profile))

    def multiplied(self) -> str:
        """CUDA text of `multiplied(k, y, u, rows, sources)`: as `streamed`, of tiles k[block, source, row]; y is v."""
        start = f"k += (long long)blockIdx.x * sources * {self.block} + threadIdx.x;"
        entry = f"k[(first + j) * {self.block} + r * {THREADS}]"
        return self._kernel("multiplied", "const real *__restrict__ k, ", start, entry, self._typedef)

    def filled(self) -> str:
        """CUDA text of `filled(x, y, k, rows, sources, p0, ...)`: k[block, source, row] = K(x_row, y_j); y without v."""
        return f"""{value(self.profile)}
extern "C" __global__ void __launch_bounds__({THREADS})
filled(const real *__restrict__ x, const real *__restrict__ y, real *__restrict__ k,
       long long rows, long long sources{self.taken}) {{
  {self._points}
  k += (long long)blockIdx.x * sources * {self.block} + threadIdx.x;
  const long long begin = (long long)blockIdx.y * {SPAN}, end = begin + {SPAN} < sources ? begin + {SPAN} : sources;
  for (long long j = begin; j < end; j++) {{
    real source[{self.numbers}];
    #pragma unroll
    for (int i = 0; i < {self.numbers}; i++) source[i] = y[j * {self.record} + i];
    {self.each_row} k[j * {self.block} + r * {THREADS}] = value(point[r], source, parameters);
  }}
}}
"""

    def _kernel(self, name: str, first: str, start: str, entry: str, head: str) -> str:
        (vector, size), fma = self.vector, self.fma
        steps = self.record // size
        return f"""{head}
extern "C" __global__ void __launch_bounds__({THREADS})
{name}({first}const real *__restrict__ y, double *__restrict__ u, long long rows, long long sources{self.taken}) {{
  __shared__ {vector} shared[{self.stretch * steps}];
  {self._cleared}
  {start}
  const long long begin = (long long)blockIdx.y * {SPAN}, end = begin + {SPAN} < sources ? begin + {SPAN} : sources;
  {self._part if self.item == 8 else ""}
  for (long long first = begin; first < end; first += {self.stretch}) {{
    const int count = end - first < {self.stretch} ? (int)(end - first) : {self.stretch};
    const {vector} *there = (const {vector} *)y + first * {steps};
    __syncthreads();
    for (int i = threadIdx.x; i < count * {steps}; i += {THREADS}) shared[i] = there[i];
    __syncthreads();
    {self._part if self.item == 4 else ""}
    #pragma unroll {1 if self.profile else 8 if self.columns < 12 else 2}
    for (int j = 0; j < count; j++) {{
      union {{ {vector} whole[{steps}]; real numbers[{self.record}]; }} record;
      #pragma unroll
      for (int i = 0; i < {steps}; i++) record.whole[i] = shared[j * {steps} + i];
      const real *source = record.numbers;
      {self.each_row} {{
        const real entry = {entry};
        {self.each_column} part[r][c] = {fma}(entry, source[{self.numbers} + c], part[r][c]);
      }}
    }}
    {self._flushed}
  }}
  const long long row = (long long)blockIdx.x * {self.block} + threadIdx.x;
  u += (long long)blockIdx.y * rows * {self.columns};
  {self.each_row} if (row + r * {THREADS} < rows)
    {self.each_column} u[(row + r * {THREADS}) * {self.columns} + c] = {self._sum};
}}
"""

    @property
    def _typedef(self) -> str:
        return f"typedef {'float' if self.item == 4 else 'double'} real;"

    @property
    def _points(self) -> str:
        # A block's last rows may be none: they repeat the last one.
        return f"""{self.parameters}
  real point[{self.rows}][{self.numbers}];
  {self.each_row} {{
    const long long own = (long long)blockIdx.x * {self.block} + threadIdx.x + r * {THREADS};
    const real *there = x + (own < rows ? own : rows - 1) * {self.numbers};
    #pragma unroll
    for (int i = 0; i < {self.numbers}; i++) point[r][i] = there[i];
  }}"""

    @property
    def _part(self) -> str:
        return f"real part[{self.rows}][{self.columns}] = {{}};"

    # Sums of float32 stretches are kept in shared memory, a place for each thread: registers are for the entries.
    @property
    def _sum(self) -> str:
        return f"sums[(r * {self.columns} + c) * {THREADS} + threadIdx.x]" if self.item == 4 else "part[r][c]"

    @property
    def _cleared(self) -> str:
        if self.item == 8:
            return ""
        return f"__shared__ double sums[{self._sums}];\n  {self.each_row} {self.each_column} {self._sum} = 0;"

    @property
    def _flushed(self) -> str:
        return f"{self.each_row} {self.each_column} {self._sum} += part[r][c];" if self.item == 4 else ""

    @property
    def _sums(self) -> int:
        return self.block * self.columns

    @property
    def _shared(self) -> int:
        """Bytes of shared memory of a block."""
        return self.stretch * self.record * self.item + (8 * self._sums if self.item == 4 else 0)


def added(columns: int) -> str:
    """CUDA text of `added(starts, places, values, v, u, rows)`: u += A v in float64, A of few entries by rows."""
    return f"""
extern "C" __global__ void __launch_bounds__({THREADS})
added(const long long *__restrict__ starts, const int *__restrict__ places, const double *__restrict__ values,
      const double *__restrict__ v, double *__restrict__ u, long long rows) {{
  const long long row = (long long)blockIdx.x * {THREADS} + threadIdx.x;
  if (row < rows)
    for (long long k = starts[row]; k < starts[row + 1]; k++)
      for (int c = 0; c < {columns}; c++) {{
        double *sum = u + row * {columns} + c;
        *sum = fma(values[k], v[(long long)places[k] * {columns} + c], *sum);
      }}
}}
"""


def padded(count: int, precision: str) -> int:
    """So many numbers up to whole registers of 16 bytes."""
    each = 16 // np.dtype(precision).itemsize
    return -(-count // each) * each
