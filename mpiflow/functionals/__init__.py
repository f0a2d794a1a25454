"""What a flow lowers (theory 3): a functional of eta is one file here, and flow.loss names it."""

from mpiflow.functionals.functional import Functional

__all__ = ["Functional"]
