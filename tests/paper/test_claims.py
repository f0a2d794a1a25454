"""What the paper measured with component kernels, in its own protocol: one chart, 1000 + 1000 points, 50 steps."""

import pytest

from mpiflow import config
from mpiflow.comm import Comm
from mpiflow.job.flowing import Flowing

JOBS = {
    "gaussian .3": ({"name": "gaussian", "width": 0.3}, {"dt": 0.03, "normalisation": "row"}),
    "gaussian .4": ({"name": "gaussian", "width": 0.4}, {"dt": 0.03, "normalisation": "row"}),
    "gaussian .5": ({"name": "gaussian", "width": 0.5}, {"dt": 0.03, "normalisation": "row"}),
    "relu": ({"name": "relu", "depth": 2}, {"dt": 0.05, "normalisation": "mean"}),
    "delta": ({"name": "delta"}, {"dt": 0.01, "normalisation": "sum"}),
}


def gains(name, precision="float64"):
    """Gain on train and on unseen points after 50 steps."""
    kernel, flow = JOBS[name]
    c = config.check({"run": {"precision": precision}, "kernel": kernel, "flow": flow}, name)
    train, unseen, *_ = Flowing.begun(Comm(), c).finish().table()
    return train.gain, unseen.gain


@pytest.mark.parametrize("width", [".3", ".4", ".5"])
def test_a_gaussian_gains_about_five_on_unseen_points(width):
    train, unseen = gains(f"gaussian {width}")
    assert 4.5 < unseen < 6.5 and train > unseen


def test_the_relu_ntk_gains_about_two():
    train, unseen = gains("relu")
    assert 1.6 < unseen < 2.5 and 1.6 < train < 3


def test_delta_ends_at_the_rounding_of_float32():
    train, unseen = gains("delta", "float32")
    assert 1e6 < train < 1e7 and 1 < unseen < 1.5


def test_delta_goes_on_in_float64():
    assert gains("delta")[0] > 1e9
