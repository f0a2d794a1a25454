"""The reference of run-file keys: complete, as committed, and its examples are valid run files."""

import tomllib
from pathlib import Path

import pytest
from inside import mpiflow as inside
from inside import refused

from jobs import mpiflow
from mpiflow import config
from mpiflow.settings import reference
from mpiflow.settings.problem import FAMILIES
from mpiflow.settings.section import Section

KEYS = list(reference.keys())
GROUPS = sorted({(key.name.split(".")[0], key.of) for key in KEYS if key.name.count(".") == 1})
#: What [kernel] and [network] cannot be without, as their own examples say it.
GOOD = {"kernel": {"name": "gaussian", "width": 0.4}, "flow": {"dt": 0.03}}


def test_the_document_is_made_of_the_models():
    page = Path(reference.__file__).parents[1] / "docs/run-file.md"
    assert page.read_text() == reference.markdown(), "mpiflow keys --markdown makes it"


@pytest.mark.parametrize("key", KEYS, ids=lambda key: f"{key.name}-{key.of}")
def test_a_key_has_type_meaning_and_example(key):
    assert key.type and len(key.meaning) > 5 and key.example
    assert "]" not in key.unit and not key.meaning.startswith(";")


def test_every_key_of_the_models_is_there():
    said = {key.name for key in KEYS}
    for name, field in config.Config.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            assert {f"{name}.{key}" for key in field.annotation.model_fields} <= said
    kept = {key.name: key.default for key in KEYS}
    assert {kept[name] for name in ("flow.dt", "kernel.name", "network.kind")} == {"required"}
    assert kept["manifold.family"] == '"fermat"' and kept["flow.halo_tolerance"] and not kept["points.file"]


#: Keys that go without others of their table.
OTHERWISE = {"warm", "rosenau"}


@pytest.mark.parametrize(("section", "of"), GROUPS)
def test_the_examples_of_a_table_are_valid_together(section, of):
    named = {"manifold": "family", "kernel": "name", "network": "kind"}.get(section)
    table = {named: of or None} if named else {}
    for key in KEYS:
        head, _, last = key.name.partition(".")
        if head == section and key.of in ("", of) and "." not in last and last != named:
            table[last] = tomllib.loads(f"x = {key.example}")["x"]
    for key in OTHERWISE & set(table):
        del table[key]
    if named and not of:
        table = {named: tomllib.loads(f"x = {next(k.example for k in KEYS if k.name == f'{section}.{named}')}")["x"]}
        table |= {"width": 0.4} if table[named] == "gaussian" else {}
    whole = {**GOOD, section: table}
    if section == "manifold" and of and FAMILIES.known()[of].lives == "real grids":
        whole |= {"kernel": {"name": "grid"}}
    elif section == "manifold":
        # Charts differ from manifold to manifold.
        whole |= {"kernel": {"name": "kaehler"}, "points": {"chart": "all"}}
    if section == "kernel" and of == "grid":
        whole |= {"manifold": {"family": "flat-torus"}}
    if section == "network":
        del whole["kernel"]
    made = config.check(whole, "example")
    assert made.text()


def test_keys_are_printed_by_name(tmp_path):
    shown = mpiflow("keys", "flow.dt")
    assert shown.returncode == 0 and "flow.dt: number" in shown.stdout and "e.g. flow.dt = 0.03" in shown.stdout
    assert inside("keys flow.search", tmp_path).stdout.count("flow.search.inner") == 2
    for name, known in (("flow.dq", "flow.steps, flow.dt"), ("flaw", "run, manifold")):
        refused(inside(["keys", name], tmp_path), name, known)
