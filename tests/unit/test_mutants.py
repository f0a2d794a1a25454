"""The table of faults fits the code: each has its place, once, and a test that is there."""

from pathlib import Path

import pytest
from mutants import MUTANTS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.fault)
def test_a_mutant_has_its_place_and_its_test(mutant):
    text = (ROOT / "mpiflow" / mutant.file).read_text()
    assert mutant.applied(text) != text
    path, _, name = mutant.test.partition("::")
    assert name in (ROOT / "tests" / path).read_text()
