"""Finite networks in place of frozen kernels, in JAX and optax (extra `nn`); the only room that imports them.

On a CPU one thread a rank: ranks share the cores, and bits depend on the threads. On a GPU what may give other bits from
one process to the next, autotuning and sums in any order, is off.
"""

import os

from mpiflow.errors import InputError

_FLAGS = ("--xla_cpu_multi_thread_eigen=false", "--xla_gpu_deterministic_ops=true", "--xla_gpu_autotune_level=0")
os.environ["XLA_FLAGS"] = " ".join([os.environ.get("XLA_FLAGS", ""), *_FLAGS]).strip()

# Ranks that share a GPU must not each take most of it.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

try:
    import jax
    import optax  # noqa: F401
except ImportError as error:
    raise InputError(f"networks need JAX and optax ({error}): pip install 'mpiflow[nn]'") from None

# The metric is float64 whatever a network is trained in; a GPU must not round products to its short formats.
jax.config.update("jax_enable_x64", True)
jax.config.update("jax_default_matmul_precision", "highest")


def place(backend: str, local_rank: int = 0) -> str:
    """Where JAX computes for a `run.backend`: "cpu" or "gpu", of which this process takes that of its rank on the node.

    Raises InputError for "gpu" where JAX sees none.
    """
    if backend == "cpu":
        jax.config.update("jax_platforms", "cpu")
    found = "gpu" if jax.default_backend() in ("gpu", "cuda", "rocm") else "cpu"
    if backend == "gpu" and found == "cpu":
        raise InputError(
            "run.backend = 'gpu': JAX sees no GPU here; pip install 'jax[cuda12]', or take 'auto' in a new run"
        )
    if found == "gpu":
        here = jax.local_devices()
        jax.config.update("jax_default_device", here[local_rank % len(here)])
    return found
