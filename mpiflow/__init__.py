"""Metric flows with neural tangent kernels on Calabi-Yau manifolds (Halverson & Ruehle 2024)."""

__version__ = "0.1.0"


def open(path):  # noqa: A001 - the name that h5py, xarray and zarr use
    """Open a run folder or a state file as a predictor of the metric; see `mpiflow.predictor`."""
    from mpiflow.predictor import open_run

    return open_run(path)
