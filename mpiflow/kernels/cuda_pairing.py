"""What a GPU does with the small matrices at each point (`kernels.pairing`), as CUDA text: complex numbers are two reals."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from mpiflow.backend import Device

#: Threads of a block, at most where each has an entry of a matrix.
THREADS = 128
#: Columns that lie in shared memory at a time.
_WIDE = 16
_PREAMBLE = """
typedef {real} real;
#define R {rows}
#define PAIRS (R * (R - 1) / 2)
"""


@cache
def paired(rows: int, precision: str, device: Device) -> tuple[Callable, int]:
    """`paired(left, values, u, count, size, apart)` and the points of a block of theirs times R^2 threads.

    left: (count, R, size). values: (count, apart, size). u: (count, R^2) reals.
    """
    return device.kernel(paired_text(rows, precision), "paired", ()), _points(rows)


@cache
def weighted(rows: int, precision: str, device: Device) -> Callable:
    """`weighted(values, weights, u, count, size, apart)`, in blocks of THREADS, a thread for each column of a point."""
    return device.kernel(weighted_text(rows, precision), "weighted", ())


def _points(rows: int) -> int:
    return max(1, min(16, THREADS // rows**2))


def _preamble(rows: int, precision: str) -> str:
    return _PREAMBLE.format(real={"float32": "float", "float64": "double"}[precision], rows=rows)


def paired_text(rows: int, precision: str) -> str:
    """A thread has one entry of one point: the diagonal's, else Re above it and Im below, which swaps parts of L and V."""
    return f"""{_preamble(rows, precision)}
#define POINTS {_points(rows)}
#define WIDE {_WIDE}
/* Rows begin in other banks. */
#define ROW (2 * WIDE + 2)
extern "C" __global__ void paired(const real *left, const real *values, real *u, const long long count,
                                  const long long size, const long long apart) {{
  __shared__ real l[POINTS * R * ROW], v[POINTS * R * ROW];
  const int thread = threadIdx.x, point = thread / (R * R), a = thread / R % R, b = thread % R;
  const int i = a < b ? a : b, j = a < b ? b : a, part = a > b;
  const long long first = (long long)blockIdx.x * POINTS;
  const real sign = part ? -1 : 1;
  real sum = 0;
  for (long long start = 0; start < size; start += WIDE) {{
    for (int t = thread; t < POINTS * R * 2 * WIDE; t += POINTS * R * R) {{
      const int row = t / (2 * WIDE), at = t % (2 * WIDE);
      const long long x = first + row / R;
      const bool there = x < count && start + at / 2 < size;
      l[row * ROW + at] = there ? left[2 * ((x * R + row % R) * size + start) + at] : 0;
      v[row * ROW + at] = there ? values[2 * ((x * apart + row % R) * size + start) + at] : 0;
    }}
    __syncthreads();
    const real *li = l + (point * R + i) * ROW, *lj = l + (point * R + j) * ROW;
    const real *vi = v + (point * R + i) * ROW, *vj = v + (point * R + j) * ROW;
    for (int s = 0; s < 2 * WIDE; s += 2)
      sum += li[s + part] * vj[s] + lj[s] * vi[s + part] + sign * (li[s + 1 - part] * vj[s + 1] + lj[s + 1] * vi[s + 1 - part]);
    __syncthreads();
  }}
  const int pair = i * R - i * (i + 1) / 2 + j - i - 1, place = i == j ? i : R + part * PAIRS + pair;
  if (first + point < count) u[(first + point) * R * R + place] = i == j ? sum : (real)1.4142135623730951 * sum;
}}
"""


def weighted_text(rows: int, precision: str) -> str:
    """Each thread reads R numbers and the matrix of its point, and writes R."""
    return f"""{_preamble(rows, precision)}
extern "C" __global__ void weighted(const real *values, const real *weights, real *u, const long long count,
                                    const long long size, const long long apart) {{
  const long long place = (long long)blockIdx.x * {THREADS} + threadIdx.x, x = place / size, s = place % size;
  if (x >= count) return;
  const real *w = weights + x * R * R, root = (real)0.7071067811865476;
  real re[R], im[R], sum[2 * R];
  for (int a = 0; a < R; a++) {{
    re[a] = values[2 * ((x * apart + a) * size + s)], im[a] = values[2 * ((x * apart + a) * size + s) + 1];
    sum[2 * a] = w[a] * re[a], sum[2 * a + 1] = w[a] * im[a];
  }}
  for (int a = 0, pair = 0; a < R; a++)
    for (int b = a + 1; b < R; b++, pair++) {{
      const real p = root * w[R + pair], q = root * w[R + PAIRS + pair];
      sum[2 * a] += p * re[b] - q * im[b], sum[2 * a + 1] += p * im[b] + q * re[b];
      sum[2 * b] += p * re[a] + q * im[a], sum[2 * b + 1] += p * im[a] - q * re[a];
    }}
  for (int a = 0; a < R; a++) {{
    u[2 * ((x * R + a) * size + s)] = sum[2 * a], u[2 * ((x * R + a) * size + s) + 1] = -sum[2 * a + 1];
  }}
}}
"""
