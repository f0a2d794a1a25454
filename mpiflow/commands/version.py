"""What `mpiflow --version` prints."""

from __future__ import annotations

import typer


def version(wanted: bool) -> None:
    """Show the versions of mpiflow and of what its bits depend on, a line each, and end."""
    if not wanted:
        return
    from mpiflow import backend
    from mpiflow.comm import library
    from mpiflow.screen import answer
    from mpiflow.state.provenance import entry

    gpu, reason = backend.probe()
    here = entry(1, "", None)
    lines = {
        "mpiflow": f"{here['mpiflow']} (commit {here['commit'] or 'unknown'})",
        "Python": here["python"],
        "NumPy": here["numpy"],
        "HDF5": f"{here['hdf5']} (h5py {here['h5py']})",
        "MPI": library(),
        "backend": "gpu" if gpu else f"cpu ({reason})",
    }
    answer("\n".join(f"{name:8} {text}" for name, text in lines.items()))
    raise typer.Exit()
