"""A symmetric kernel as one CUDA kernel: each pair of points computed once, for both of its products.

A block of threads takes a pair of blocks of points. A thread has rows of the first; a strip of sources of the second at a
time, it computes their entries, adds what they give to its rows, and puts them into shared memory, where each thread then has
two sources and a slice of the rows. What a pair of blocks gives is rounded to fixed point and added as integers: such sums
have the same bits in any order, so that any block, and any rank, may compute any pair.
"""

from __future__ import annotations

from mpiflow.engine.cuda import value
from mpiflow.engine.cuda_loops import RECORDS, SHARED, THREADS, Threads, padded, rows_of


class Pairs(Threads):
    """The kernel of a profile on so many columns. strip: sources that are taken at a time."""

    def __init__(self, profile, columns: int):
        precision = profile.precision
        rows = rows_of(profile.numbers, 4) if precision == "float32" else 1
        super().__init__(profile, columns, precision, rows)
        self.strip = 32
        while self._shared > SHARED:
            self.strip //= 2

    @property
    def text(self) -> str:
        """CUDA text of `paired(y, out, pairs, scale, p0, ...)`: out += what each of the pairs gives, in units of 1 / scale.

        y: (blocks, block, record) records with v; out: (blocks block, columns) int64; pairs: (n, 2) int32 numbers of blocks,
        the first not above the second; a block of threads for each. A block with itself has both its halves already.
        """
        n, columns, size, strip = self.numbers, self.columns, self.record, self.strip
        (vector, each), fma, wide = self.vector, self.fma, padded(columns, self.precision)
        half, slices = strip // 2, 2 * THREADS // strip
        within = self.block // slices
        whole = strip * size // each
        loads = -(-whole // THREADS)
        return f"""{value(self.profile)}
extern "C" __global__ void __launch_bounds__({THREADS}, {4 if n <= RECORDS // 4 else 1})
paired(const real *__restrict__ y, long long *out, const int *__restrict__ pairs, double scale{self.taken}) {{
  __shared__ {vector} sources[{strip * size // each}], weights[{self.block * wide // each}];
  __shared__ real tile[{self._tile}];
  {self.parameters}
  const long long here = (long long)pairs[2 * blockIdx.x] * {self.block};
  const long long there = (long long)pairs[2 * blockIdx.x + 1] * {self.block};
  unsigned long long *sums = (unsigned long long *)out;
  const int t = threadIdx.x, first = t % {half}, slice = t / {half};
  real point[{self.rows}][{n}], part[{self.rows}][{columns}] = {{}};
  {self.each_row} {{
    const real *own = y + (here + t + r * {THREADS}) * {size};
    #pragma unroll
    for (int i = 0; i < {n}; i++) point[r][i] = own[i];
    for (int c = 0; c < {columns}; c++) ((real *)weights)[(t + r * {THREADS}) * {wide} + c] = own[{n} + c];
  }}
  /* A strip comes from memory while the one before it is computed. */
  const {vector} *next = (const {vector} *)(y + there * {size});
  {vector} coming[{loads}];
  {self._each_load(loads, whole)} coming[i] = next[t + i * {THREADS}];
  for (int start = 0; start < {self.block}; start += {strip}) {{
    __syncthreads();
    {self._each_load(loads, whole)} sources[t + i * {THREADS}] = coming[i];
    __syncthreads();
    next += {whole};
    if (start + {strip} < {self.block}) {self._each_load(loads, whole)} coming[i] = next[t + i * {THREADS}];
    #pragma unroll 2
    for (int j = 0; j < {strip}; j++) {{
      union {{ {vector} whole[{size // each}]; real numbers[{size}]; }} record;
      #pragma unroll
      for (int i = 0; i < {size // each}; i++) record.whole[i] = sources[j * {size // each} + i];
      {self.each_row} {{
        const real entry = value(point[r], record.numbers, parameters);
        tile[(t + r * {THREADS}) * {strip + 1} + j] = entry;
        {self.each_column} part[r][c] = {fma}(entry, record.numbers[{n} + c], part[r][c]);
      }}
    }}
    if (here == there) continue;
    __syncthreads();
    real sum[2][{columns}] = {{}};
    #pragma unroll 4
    for (int k = 0; k < {within}; k++) {{
      const int row = {self._row(within)};
      union {{ {vector} whole[{wide // each}]; real numbers[{wide}]; }} weight;
      #pragma unroll
      for (int i = 0; i < {wide // each}; i++) weight.whole[i] = weights[row * {wide // each} + i];
      #pragma unroll
      for (int s = 0; s < 2; s++) {{
        const real entry = tile[row * {strip + 1} + first + s * {half}];
        {self.each_column} sum[s][c] = {fma}(entry, weight.numbers[c], sum[s][c]);
      }}
    }}
    /* The tile has been read: what the slices give takes its place. */
    __syncthreads();
    #pragma unroll
    for (int s = 0; s < 2; s++)
      {self.each_column} tile[(slice * {columns} + c) * {strip} + first + s * {half}] = sum[s][c];
    __syncthreads();
    for (int i = t; i < {strip * columns}; i += {THREADS}) {{
      const int source = i / {columns}, c = i % {columns};
      real total = 0;
      #pragma unroll
      for (int k = 0; k < {slices}; k++) total += tile[(k * {columns} + c) * {strip} + source];
      atomicAdd(sums + (there + start) * {columns} + i, (unsigned long long)__double2ll_rn((double)total * scale));
    }}
  }}
  {self.each_row} {self.each_column} {{
    const unsigned long long given = (unsigned long long)__double2ll_rn((double)part[r][c] * scale);
    atomicAdd(sums + (here + t + r * {THREADS}) * {columns} + c, given);
  }}
}}
"""

    def _row(self, within: int) -> str:
        """The row that a slice takes at k. The two or more slices of a warp lie so that no two lanes ask one bank."""
        if (self.item, self.strip, self.rows) == (4, 32, 2):
            return "(slice >> 1) * 64 + (slice & 1) * 16 + (k & 15) + (k >> 4) * 32"
        return f"slice * {within} + k"

    def _each_load(self, loads: int, whole: int) -> str:
        return f'_Pragma("unroll") for (int i = 0; i < {loads}; i++) if (t + i * {THREADS} < {whole})'

    @property
    def _shared(self) -> int:
        """Bytes of shared memory of a block."""
        wide = padded(self.columns, self.precision)
        return self.item * (self.strip * self.record + self.block * wide + self._tile)

    @property
    def _tile(self) -> int:
        """Numbers of a tile, or of what two sources a thread give, which takes its place."""
        return max(self.block * (self.strip + 1), 2 * THREADS * self.columns)
