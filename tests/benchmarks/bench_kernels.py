"""One step u = K v against the peers: python tests/benchmarks/bench_kernels.py [--peers PYTHON] [-n 8192].

Nine columns, one thread, the Fermat quintic. Errors are those of the first 64 rows over the largest entry.
"""

from __future__ import annotations

import argparse
import os
import tempfile

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
from rounds import Peers, interleaved, timed

from mpiflow.geometry.projective import unit
from mpiflow.kernels.gaussian import Gaussian
from mpiflow.kernels.relu import ReluNTK
from mpiflow.modes import choice


def quintic(count: int, seed: int) -> np.ndarray:
    """Patch-scaled points of the Fermat quintic on random lines."""
    rng, lines = np.random.default_rng(seed), -(-count // 5)
    a, b = rng.normal(size=(2, lines, 5)) + 1j * rng.normal(size=(2, lines, 5))
    binomial = np.array([1, 5, 10, 10, 5, 1])
    powers = np.arange(6)
    rows = (binomial * a[..., None] ** (5 - powers) * b[..., None] ** powers).sum(1)
    points = np.concatenate([p + np.roots(c[::-1])[:, None] * q for p, q, c in zip(a, b, rows, strict=True)])[:count]
    return points / points[np.arange(count), np.abs(points).argmax(1)][:, None]


def reals(z: np.ndarray) -> np.ndarray:
    return np.concatenate([z.real, z.imag], axis=1)


def blas_step(kernel, x, y, v):
    """The stored kernel in float32, one BLAS product: what streaming is compared with."""
    k, v = kernel.tile(x, y).astype(np.float32), v.astype(np.float32)
    return lambda: k @ v


def contestants(x, y, v, peers: Peers) -> dict:
    """name: (kernel, contestant, its first rows)."""
    table = {}

    def ours(kernel, precision, mode="streamed"):
        built = choice.build(kernel, x, y, mode=mode, precision=precision)
        name = f"{kernel.name} {getattr(kernel, 'width', getattr(kernel, 'depth', ''))} {mode} {precision}"
        table[name] = kernel, timed(lambda: built.apply(v)), lambda: built.apply(v)[:64]

    def peer(kernel, name, **options):
        label = f"{kernel.name} {getattr(kernel, 'width', getattr(kernel, 'depth', ''))} {name} {options['precision']}"
        table[label] = kernel, peers.contestant(label, name, **options), lambda: peers.answers[label].get("u")

    for precision in ("float32", "float64"):
        for kernel in (ReluNTK(1, 1.0, 0.0), Gaussian(0.3), Gaussian(0.5), Gaussian(0.05)):
            ours(kernel, precision)
        ours(ReluNTK(1, 1.0, 0.0), precision, "resident")
        peer(Gaussian(0.3), "pykeops", width=0.3, precision=precision)
    peer(ReluNTK(1, 1.0, 0.0), "neural_tangents", depth=1, precision="float32")
    for width in (0.3, 0.05):
        peer(Gaussian(width), "torch", width=width, precision="float32")
    for kernel in (ReluNTK(1, 1.0, 0.0), Gaussian(0.3)):
        step = blas_step(kernel, x, y, v)
        table[f"{kernel.name} stored BLAS float32"] = kernel, timed(step), lambda step=step: step()[:64]
    return table


RATIOS = [
    ("ReLU float32 against neural-tangents", "relu_ntk 1 neural_tangents float32", "relu_ntk 1 streamed float32"),
    ("ReLU float64 against neural-tangents", "relu_ntk 1 neural_tangents float32", "relu_ntk 1 streamed float64"),
    ("Gaussian float64 against pykeops", "gaussian 0.3 pykeops float64", "gaussian 0.3 streamed float64"),
    ("Gaussian float32 against pykeops", "gaussian 0.3 pykeops float64", "gaussian 0.3 streamed float32"),
    ("Gaussian .3 float32 against torch", "gaussian 0.3 torch float32", "gaussian 0.3 streamed float32"),
    ("Gaussian .05 float32 against torch", "gaussian 0.05 torch float32", "gaussian 0.05 streamed float32"),
    ("ReLU streamed over stored BLAS", "relu_ntk 1 streamed float32", "relu_ntk stored BLAS float32"),
    ("Gaussian streamed over stored BLAS", "gaussian 0.3 streamed float32", "gaussian stored BLAS float32"),
    ("ReLU streamed over resident", "relu_ntk 1 streamed float32", "relu_ntk 1 resident float32"),
    ("width .05 over width .5, float32", "gaussian 0.05 streamed float32", "gaussian 0.5 streamed float32"),
]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--peers", help="python of an environment with the peers (peers/worker.py says which)")
    options.add_argument("-n", type=int, default=8192, help="targets and sources")
    options.add_argument("--rounds", type=int, default=5)
    args = options.parse_args()
    x, y, v = quintic(args.n, 0), quintic(args.n, 1), np.random.default_rng(0).normal(size=(args.n, 9))
    with tempfile.TemporaryDirectory() as folder:
        data = os.path.join(folder, "data.npz")
        np.savez(data, x=reals(unit(x)), y=reals(unit(y)), z=reals(x), w=reals(y), v=v)
        peers = Peers(args.peers, data)
        table = contestants(x, y, v, peers)
        seconds = interleaved({name: row[1] for name, row in table.items()}, args.rounds)
        print(f"| step, N = {args.n}, 9 columns | ns an entry | error / largest |\n| --- | --- | --- |")
        for name, (kernel, _, rows) in table.items():
            if name in seconds:
                reference = kernel.tile(x[:64], y) @ v
                error = np.abs(np.array(rows()) - reference).max() / np.abs(reference).max()
                print(f"| {name} | {seconds[name] / args.n**2 * 1e9:.3f} | {error:.1e} |")
        peers.close()
    print("\n| ratio | measured |\n| --- | --- |")
    for label, slow, fast in RATIOS:
        if slow in seconds and fast in seconds:
            print(f"| {label} | {seconds[slow] / seconds[fast]:.2f} |")


if __name__ == "__main__":
    main()
