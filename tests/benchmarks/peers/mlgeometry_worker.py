"""One bihomogeneous network of MLGeometry, trained and asked for its metrics: run by `bench_mlgeometry.py`, see there.

mlgeometry_worker.py POINTS.npz METRICS.npz SEED ADAM ITERATIONS SECONDS

The settings are those of its notebook (Guide.ipynb): layers 70, 100, 1, its sigma as the loss, Adam at .01 in batches of 1000,
then L-BFGS on all points. ADAM: epochs. ITERATIONS: of a round of L-BFGS; rounds begin until SECONDS of CPU time are used up.
POINTS.npz holds z, omega2, weight and restriction of train and test points. METRICS.npz gets g at the test points, its own
sigma of train and test points, and the CPU seconds of this process after the training, with all imports and compilations.
"""

import os
import sys
import time

# Before JAX is loaded.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import jax.numpy as jnp
import numpy as np
import optax
from flax import linen
from MLGeometry import bihomoNN, dataset, loss, trainer

BATCH = 1000


class Network(linen.Module):
    """A Kaehler potential: the logarithm of a form of degree (4, 4)."""

    @linen.compact
    def __call__(self, z):
        hidden = bihomoNN.Bihomogeneous(d=z.shape[-1])(z)
        for width in (70, 100):
            hidden = bihomoNN.SquareDense(features=width)(hidden)
        return jnp.log(bihomoNN.SquareDense(features=1, activation=None)(hidden))


def points(data, name: str) -> dict:
    """Its data set, of ours."""
    ours = {"points": "z", "Omega_Omegabar": "omega2", "mass": "weight", "restriction": "restriction"}
    return dataset.to_jax({theirs: data[f"{name}_{column}"] for theirs, column in ours.items()})


def main(source: str, target: str, seed: int, adam: int, iterations: int, budget: float) -> None:
    """Adam, then rounds of L-BFGS, each in the words of its notebook."""
    data, network = dict(np.load(source)), Network()
    sets = {name: points(data, name) for name in ("train", "test")}
    options = {"model": network, "dataset": sets["train"], "loss_metric": loss.weighted_MAPE, "batch_size": BATCH}
    params, _ = trainer.train_optax(optimizer=optax.adam(0.01), epochs=adam, seed=seed, **options)
    rounds, seconds = 0, time.process_time()
    print(f"Adam, {adam} epochs: {seconds:.0f} CPU s", flush=True)
    while seconds < budget:
        params, _ = trainer.train_lbfgs(epochs=iterations, params=params, **options)
        rounds, seconds = rounds + 1, time.process_time()
        print(f"L-BFGS, {rounds * iterations} iterations: {seconds:.0f} CPU s", flush=True)
    sigmas = {
        name: float(loss.evaluate_dataset(network, params, s, loss.weighted_MAPE, BATCH)) for name, s in sets.items()
    }
    g = np.asarray(loss.compute_cy_metric_batched(network, params, sets["test"]))
    np.savez(target, g=g, iterations=rounds * iterations, seconds=seconds, **sigmas)


if __name__ == "__main__":
    main(*sys.argv[1:3], *map(int, sys.argv[3:6]), float(sys.argv[6]))
