"""The closing table prints digits that are there, and none of rounding noise."""

from __future__ import annotations

import pytest

from mpiflow.job.evaluate import Row
from mpiflow.job.report import DISCONTINUOUS, rendered

#: sigma, gain, |eta - 1|, defect, and how they are shown.
ROWS = [
    ((0.04262, 8.598, 0.2, 0.943), ("0.04262", "8.598", "0.2", "9.43e-01")),
    ((2.053e-16, 1.789e15, 8.88e-16, 0.946), ("< 1e-14", "> 4e+13", "< 1e-14", "9.46e-01")),
    ((0.3673, 1.0, 4.13, 3.73e-10), ("0.3673", "1", "4.13", "< 1e-08")),
    ((0.0, float("inf"), 0.0, None), ("< 1e-14", "inf", "< 1e-14", DISCONTINUOUS)),
    ((1.2e-14, 3e13, 1.5e-14, 1.2e-8), ("1.2e-14", "3e+13", "1.5e-14", "1.20e-08")),
    ((float("nan"),) * 4, ("nan",) * 4),
]


@pytest.mark.parametrize("numbers, shown", ROWS)
def test_rounding_noise_has_no_digits(numbers, shown):
    sigma, gain, deviation, defect = numbers
    row = Row("flow", "unseen", 9, sigma, gain, deviation, 1.0, 0.1, defect)
    cells = [next(iter(column.cells)) for column in rendered([row], "title").columns]
    assert (cells[2], cells[3], cells[4], cells[7]) == shown
