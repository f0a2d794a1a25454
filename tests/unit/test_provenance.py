"""The chain of starts, and which changes of a run file a resumed run may carry."""

from __future__ import annotations

import json

import pytest
from facts import telling

from mpiflow import __version__
from mpiflow.errors import StateError
from mpiflow.state import provenance

CONFIG = {"flow": {"dt": 0.01, "steps": 50}, "output": {"keep": 3}, "points": {"chart": [0, 1]}, "run": {"name": "a"}}


def test_every_start_adds_an_entry():
    chain = provenance.append("", provenance.entry(2, "cpu", None))
    chain = provenance.append(chain, provenance.entry(4, "gpu", 20))
    assert [(e["ranks"], e["backend"], e["resumed_from"]) for e in json.loads(chain)] == [
        (2, "cpu", None),
        (4, "gpu", 20),
    ]
    assert json.loads(chain)[0]["mpiflow"] == __version__


@pytest.mark.parametrize("chain", ["{", '{"a": 1}'])
def test_a_chain_that_is_none_is_refused(chain):
    with telling(StateError, "provenance"):
        provenance.append(chain, {})


def test_equal_configurations_do_not_differ():
    assert provenance.compare(CONFIG, json.loads(json.dumps(CONFIG))) == ([], [])


def test_differences_are_told_key_by_key():
    changed = CONFIG | {
        "flow": {"dt": 0.02, "steps": 80},
        "output": {"keep": 1, "every_steps": 5},
        "kernel": {"width": 0.3},
    }
    fatal, harmless = provenance.compare(CONFIG, changed)
    assert fatal == ["flow.dt: 0.01 -> 0.02", "kernel.width: absent -> 0.3"]
    assert harmless == ["flow.steps: 50 -> 80", "output.every_steps: absent -> 5", "output.keep: 3 -> 1"]


def test_a_prefix_of_a_harmless_key_is_not_harmless():
    assert provenance.compare({}, {"flow": {"steps_of": 1}, "outputs": 2}).harmless == []
