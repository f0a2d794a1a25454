"""Figures and tables, each one command: `mpiflow paper NAME`.

Every module has `SIZES` (points at laptop, node and cluster size), `run(comm, out, size, say, seed)`, which draws its picture
into the folder out, says its table line by line, and returns the table's rows (collective), and `claims(rows)`: what the
paper says beside what was found. `LEAST`, where a module has it, is the smallest size that it makes sense of.
"""

from __future__ import annotations

from importlib import import_module

from mpiflow.errors import InputError

#: Name of a figure to what it shows.
FIGURES = {
    "clustering": "Figure 2: heatmaps of clusterings and their silhouettes (HR 3.1)",
    "clustering-error": "what clustering costs the flow: none, halo and all couplings against each other",
    "distance": "Figure 3 right: mean nearest-neighbour distance against the number of points (HR 3.7)",
    "kernels-revisited": "gain of frozen Kaehler kernels on unseen points, beside the paper's kernels (HR 3.2, app. B)",
    "noise": "Figure 3 left: gain against the distance from the train points (HR 3.2.4)",
    "ntk-evolution": "Figure 4: how far the NTK of a network in training moves (HR 3.3); needs the extra nn",
    "network-width": "from narrow to wide networks: where the NTK stops moving (HR 2.23, 3.3); needs the extra nn",
    "table": "Table 1: tuned hyperparameters and gains of the paper's kernels (HR 3.2); needs the extra tune",
    "delta": "the Delta kernel from 1e3 to 1e7 points beside the paper's extrapolation (HR 3.2.4)",
}


def figure(name: str):
    """The module of a figure. Raises InputError for an unknown name."""
    if name not in FIGURES:
        raise InputError(f"paper {name}: no such figure; one of {', '.join(FIGURES)}")
    return import_module(f"mpiflow.paper.{name.replace('-', '_')}")


def points(module, size: str) -> int:
    """Number of points for the word laptop, node or cluster, or for a number. Raises InputError for anything else."""
    if size in module.SIZES:
        return module.SIZES[size]
    least = getattr(module, "LEAST", 100)
    if size.isdecimal() and int(size) >= least:
        return int(size)
    raise InputError(f"--size {size}: one of {', '.join(module.SIZES)}, or a number of points, here at least {least}")
