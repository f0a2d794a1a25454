"""Finite networks in place of frozen kernels, in JAX and optax (extra `nn`); the only room that imports them.

On a CPU one thread a rank: ranks share the cores, and bits depend on the threads.
"""

import os

from mpiflow.errors import InputError

os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen=false".strip()

try:
    import jax
    import optax  # noqa: F401
except ImportError as error:
    raise InputError(f"networks need JAX and optax ({error}): pip install 'mpiflow[nn]'") from None

# The metric is float64 whatever a network is trained in; a GPU must not round products to its short formats.
jax.config.update("jax_enable_x64", True)
jax.config.update("jax_default_matmul_precision", "highest")
