"""What every door holds of a class that is dropped in: a run, resumed on other ranks, planned, evaluated."""

import numpy as np

import mpiflow as library
from jobs import mpiflow, result
from mpiflow import config
from mpiflow.plan import report
from mpiflow.plan.fit import Limits
from mpiflow.plan.machine import Machine


def holds(path, folder, plan=True):
    """Run the file to its end on one rank, and with a stop on two and one: the same bits. Returns the open run."""
    settings, whole, parts = config.read(path), folder / "whole", folder / "parts"
    begun = mpiflow("run", path, "-o", parts, "--set", "flow.steps=2", ranks=2)
    assert begun.returncode == 0, begun.stdout + begun.stderr
    model = library.run(settings, parts)
    library.run(settings, whole)
    assert result(parts) == result(whole)
    if plan:
        assert report.facts(settings, path, 2, Limits(64, 4), Machine())["peak_bytes"] > 0
    rows = model.evaluate(60, 5)
    assert rows[0].gain > 0.5 and np.isfinite([row.sigma for row in rows]).all()
    return model
