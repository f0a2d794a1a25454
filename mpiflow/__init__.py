"""Metric flows with neural tangent kernels on Calabi-Yau manifolds (Halverson & Ruehle 2024)."""

__version__ = "0.1.0"
__all__ = ["Model", "open", "run", "sample"]


def __getattr__(name: str):
    # What they need takes a second to load, and the command has to catch signals before.
    if name in __all__:
        from importlib import import_module

        return getattr(import_module("mpiflow.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
