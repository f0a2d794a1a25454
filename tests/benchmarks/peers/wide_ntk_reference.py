"""Makes tests/unit/data/wide_ntk_reference.json: NTKs of erf and gelu networks by neural-tangents 0.6.5 in float64.

    pip install "jax<=0.5.3" "jaxlib<=0.5.3" neural-tangents==0.6.5 tf2jax==0.3.6     (an environment of its own)
    python tests/benchmarks/peers/wide_ntk_reference.py > tests/unit/data/wide_ntk_reference.json

Points as of relu_ntk_reference.py: exact decimal reals, one row repeated with its sign turned, one nearly repeated.
"""

import json

import jax
import numpy as np
from neural_tangents import stax

jax.config.update("jax_enable_x64", True)
ACTIVATIONS = {"erf": lambda: stax.Erf(a=1, b=1, c=0), "gelu": lambda: stax.Gelu(approximate=False)}


def network(name: str, depth: int, w_std: float, b_std: float | None):
    layers = [stax.Dense(1, W_std=w_std, b_std=b_std)]
    for _ in range(depth):
        layers += [ACTIVATIONS[name](), stax.Dense(1, W_std=w_std, b_std=b_std)]
    return stax.serial(*layers)[2]


def points(rng, count: int, one: int):
    z = np.round(rng.uniform(-0.7, 0.7, size=(count, 10)), 3)
    z[:, one], z[:, one + 5] = 1, 0
    return z


def main():
    rng = np.random.default_rng(0)
    z, w = points(rng, 5, 0), points(rng, 6, 1)
    w[0], w[1], w[2] = z[0], -z[1], z[2] + 0.001
    cases = []
    for name in ACTIVATIONS:
        for depth in (1, 2, 3):
            for w_std, b_std in ((1.0, None), (1.4, 0.3), (4.0, 0.3)):
                kernel = np.asarray(network(name, depth, w_std, b_std)(z, w, "ntk"))
                keys = {"depth": depth, "w_std": w_std, "b_std": b_std or 0.0}
                cases.append({"name": name, "keys": keys, "kernel": kernel.tolist()})
    print(f'{{"z": {z.tolist()},\n"w": {w.tolist()},\n"cases": [')
    print(",\n".join(json.dumps(case) for case in cases) + "]}")


if __name__ == "__main__":
    main()
