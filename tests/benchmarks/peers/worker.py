"""One step of each peer, timed on request: `worker.py FILE.npz` reads names from stdin, answers JSON lines.

It runs in an environment of its own, since the peers pin old versions:
    pip install "jax<=0.5.3" "jaxlib<=0.5.3" neural-tangents==0.6.5 tf2jax==0.3.6 pykeops==2.3 torch==2.13
FILE.npz holds the points x, y (real coordinates of unit points for Gaussians), z, w (patch-scaled reals) and v.
"""

import json
import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import numpy as np

ROWS, COLUMNS = 128, 1024


def neural_tangents(data, options):
    import jax
    from neural_tangents import stax

    layers = [stax.Dense(1)]
    for _ in range(options.get("depth", 1)):
        layers += [stax.Relu(), stax.Dense(1)]
    kernel = stax.serial(*layers)[2]
    block = jax.jit(lambda rows, sources, v: kernel(rows, sources, "ntk") @ v)
    z, w, v = (jax.numpy.asarray(data[name], jax.numpy.float32) for name in ("z", "w", "v"))
    return lambda: np.concatenate([np.asarray(block(z[i : i + ROWS], w, v)) for i in range(0, len(z), ROWS)])


def torch(data, options):
    import torch

    torch.set_num_threads(1)
    kind = getattr(torch, options["precision"])
    x, y, v = (torch.asarray(data[name], dtype=kind) for name in ("x", "y", "v"))
    half = x.shape[1] // 2
    turned = torch.cat([-x[:, half:], x[:, :half]], dim=1)
    factor = -1 / (2 * options["width"] ** 2)

    def tile(i, j):
        columns = y[j : j + COLUMNS].T
        k = (x[i : i + ROWS] @ columns).square_().add_((turned[i : i + ROWS] @ columns).square_()).sqrt_()
        return k.clamp_(max=1).acos_().square_().mul_(factor).exp_() @ v[j : j + COLUMNS]

    return lambda: torch.cat(
        [sum(tile(i, j) for j in range(0, len(y), COLUMNS)) for i in range(0, len(x), ROWS)]
    ).numpy()


def pykeops(data, options):
    from pykeops.numpy import LazyTensor

    kind = options["precision"]
    x, y, v = (np.ascontiguousarray(data[name], kind) for name in ("x", "y", "v"))
    half = x.shape[1] // 2
    turned = np.concatenate([-x[:, half:], x[:, :half]], axis=1)
    a, b, c = LazyTensor(x[:, None]), LazyTensor(turned[:, None]), LazyTensor(y[None])
    overlap = ((a * c).sum(-1) ** 2 + (b * c).sum(-1) ** 2).sqrt()
    kernel = (overlap.clamp(0.0, 1.0).acos() ** 2 * (-1 / (2 * options["width"] ** 2))).exp()
    return lambda: kernel @ v


PEERS = {"neural_tangents": neural_tangents, "torch": torch, "pykeops": pykeops}


def main():
    data, steps = dict(np.load(sys.argv[1])), {}
    answers = os.dup(1)
    os.dup2(2, 1)  # the peers' own messages go to stderr
    for line in sys.stdin:
        request = json.loads(line)
        name = request.pop("peer")
        try:
            if line not in steps:
                steps[line] = PEERS[name](data, request)
                steps[line]()  # compiled before it is timed
            start = time.process_time()
            u = steps[line]()
            answer = {"seconds": time.process_time() - start, "u": np.asarray(u, np.float64)[:64].tolist()}
        except ImportError as missing:
            answer = {"missing": str(missing)}
        os.write(answers, (json.dumps(answer) + "\n").encode())


if __name__ == "__main__":
    main()
