"""What every door holds of a class that is dropped in: a run, resumed on other ranks, planned, evaluated."""

import numpy as np

import mpiflow as library
from jobs import mpiflow, result


def holds(path, folder, *words, plan=True):
    """Run the file to its end on one rank, and with a stop on two and one: the same bits. Returns the open run."""
    whole, parts = folder / "whole", folder / "parts"
    for where, more, ranks in ((whole, (), 1), (parts, ("--set", "flow.steps=2"), 2), (parts, (), 1)):
        done = mpiflow("run", path, "-o", where, *words, *more, ranks=ranks)
        assert done.returncode == 0, done.stdout + done.stderr
    assert result(parts) == result(whole)
    if plan:
        planned = mpiflow("plan", path, "--ranks", 2, *words)
        assert planned.returncode == 0, planned.stderr
    model = library.open(parts)
    rows = model.evaluate(60, 5)
    assert rows[0].gain > 0.5 and np.isfinite([row.sigma for row in rows]).all()
    return model
