"""All random numbers come from one file, where each purpose has a name; which numbers, is frozen."""

import ast
from pathlib import Path

import numpy as np
import pytest

from mpiflow import streams

ROOT = Path(__file__).parents[2] / "mpiflow"
MAKERS = {"Philox", "default_rng", "Generator", "SeedSequence", "RandomState", "seed", "PCG64", "MT19937", "SFC64"}


def made(text):
    """Lines in which a generator is made, or numbers are drawn from the global one."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name.startswith(("np.random.", "numpy.random.")) or name.split(".")[-1] in MAKERS - {"seed"}:
                yield node.lineno
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("numpy.random"):
            yield node.lineno
        if isinstance(node, ast.Import) and any(item.name == "random" for item in node.names):
            yield node.lineno


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_other_file_makes_a_generator(path):
    assert path.name == "streams.py" or not list(made(path.read_text()))


@pytest.mark.parametrize("line", ["np.random.default_rng(0)", "np.random.normal()", "Philox(key=3)", "import random"])
def test_every_way_would_be_noticed(line):
    assert list(made(line))


def test_the_numbers_are_frozen():
    keyed = [streams.generator(3, stream, 5) for stream in (streams.TRAIN, streams.ORDER)]
    keyed += [streams.noise(3, streams.TEST, 5), streams.coefficients(3), streams.starts(3), streams.sample(3)]
    found = [draw.standard_normal() for draw in [*keyed, streams.same()]]
    expected = [np.random.Philox(key=[3, stream << 48 | 5]) for stream in (0, 1001, 16 * 3 + 1)]
    expected += [np.random.PCG64(3), np.random.Philox(key=3), np.random.Philox(key=3), np.random.PCG64(0)]
    assert found == [np.random.Generator(bits).standard_normal() for bits in expected]
    assert streams.study(1, 2) == int(np.random.SeedSequence([1, 2]).generate_state(1, np.uint64)[0]) >> 1


def test_no_two_purposes_share_a_stream():
    of_points = [streams.TRAIN, streams.TEST, streams.EVALUATE, streams.NOISE, streams.BASIS]
    displaced = [16 * streams.NOISE + stream for stream in of_points]
    every = [*of_points, *displaced, streams.PARAMETERS, streams.ORDER]
    assert len(set(every)) == len(every)
