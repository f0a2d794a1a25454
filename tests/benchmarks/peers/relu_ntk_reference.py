"""Makes tests/unit/data/relu_ntk_reference.json: ReLU NTKs by neural-tangents 0.6.5 in float64.

    pip install "jax<=0.5.3" "jaxlib<=0.5.3" neural-tangents==0.6.5 tf2jax==0.3.6     (an environment of its own)
    python tests/benchmarks/peers/relu_ntk_reference.py > tests/unit/data/relu_ntk_reference.json

Points have exact decimal reals, one row is repeated with its sign turned, one is nearly repeated.
"""

import json

import jax
import numpy as np
from neural_tangents import stax

jax.config.update("jax_enable_x64", True)


def network(depth: int, w_std: float, b_std: float | None):
    layers = [stax.Dense(1, W_std=w_std, b_std=b_std)]
    for _ in range(depth):
        layers += [stax.Relu(), stax.Dense(1, W_std=w_std, b_std=b_std)]
    return stax.serial(*layers)[2]


def main():
    rng = np.random.default_rng(0)
    z = np.round(rng.uniform(-0.7, 0.7, size=(5, 10)), 3)
    z[:, 0], z[:, 5] = 1, 0
    w = np.round(rng.uniform(-0.7, 0.7, size=(6, 10)), 3)
    w[:, 1], w[:, 6] = 1, 0
    w[0], w[1], w[2] = z[0], -z[1], z[2] + 0.001
    cases = []
    for depth in (1, 2, 3):
        for w_std, b_std in ((1.0, None), (1.4, None), (1.4, 0.3)):
            kernel = np.asarray(network(depth, w_std, b_std)(z, w, "ntk"))
            cases.append({"depth": depth, "w_std": w_std, "b_std": b_std or 0.0, "kernel": kernel.tolist()})
    print(f'{{"z": {z.tolist()},\n"w": {w.tolist()},\n"cases": [')
    print(",\n".join(json.dumps(case) for case in cases) + "]}")


if __name__ == "__main__":
    main()
