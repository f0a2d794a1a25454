"""Each key of a run file at its limits, read off the models: beyond them one line that names the key; within, it works."""

from __future__ import annotations

import typing
from typing import Literal

import pytest
from annotated_types import Ge, Gt, Le, Lt

from mpiflow import config
from mpiflow.comm import Comm
from mpiflow.doors import own
from mpiflow.errors import InputError, NumericalError
from mpiflow.job import report
from mpiflow.job.job import run
from mpiflow.methods.registry import KERNELS, NETWORKS
from mpiflow.methods.spaces import SPACES
from mpiflow.screen import Screen
from mpiflow.settings.course import SEARCHES
from mpiflow.settings.problem import FAMILIES
from mpiflow.settings.whole import Config

NAN, INF = float("nan"), float("inf")
#: The smallest job for each thing that a run file may name, on a torus.
JOB = {
    "manifold": {"ambient": 2},
    "points": {"train": 12, "test": 6},
    "flow": {"steps": 1, "dt": 1e-3},
    "output": {"every_steps": 1},
}
KINDS = {"gaussian": {"width": 0.4}, "relu": {}, "delta": {}, "kaehler": {"degree": 2}}


#: What a family needs, and a chart of it.
FAMILY = {
    "fermat": {"ambient": 2},
    "dwork": {"ambient": 2, "psi": 0.5},
    "random": {"ambient": 2, "seed": 1},
    "polynomial": {
        "ambient": 2,
        "monomials": [[3, 0, 0], [0, 3, 0], [0, 0, 3]],
        "coefficients": [1.0, -1.0, [0.0, 1.0]],
    },
    "configuration": {"ambient": [1, 1], "degrees": [[2, 2]], "seed": 1, "kaehler": [1.0, 1.5]},
    "equations": {
        "ambient": [1, 1],
        "monomials": [[[2, 0, 2, 0], [0, 2, 0, 2], [2, 0, 0, 2], [0, 2, 2, 0]]],
        "coefficients": [[1.0, -1.0, [0.0, 1.0], 0.5]],
    },
    "bicubic": {},
    "tetra-quadric": {},
    "two-cubics": {},
    "flat-torus": {"points": 8, "modes": 1},
}
CHART = {
    "configuration": [0, 2, 3],
    "equations": [0, 2, 3],
    "bicubic": [0, 3, 1],
    "tetra-quadric": [0, 2, 4, 6, 1],
    "two-cubics": [0, 1, 3],
}


def real(family):
    """Whether a family is one of real grids."""
    return isinstance(family, str) and family in FAMILIES.known() and FAMILIES.known()[family].lives == "real grids"


def job(kind):
    """The table of a kind's job."""
    if kind == "grid" or real(kind):
        family = kind if real(kind) else "flat-torus"
        grid = {"manifold": {"family": family} | FAMILY.get(family, {}), "kernel": {"name": "grid"}}
        return {name: JOB[name] for name in ("flow", "output")} | grid
    if kind == "network":
        return JOB | {"network": {"kind": "multiplicative", "width": 4, "depth": 1, "batch": 64}}
    if kind in FAMILY:
        points = JOB["points"] | {"chart": CHART.get(kind, [0, 1])}
        return job("gaussian") | {"manifold": {"family": kind} | FAMILY[kind], "points": points}
    if kind == "search":
        return job("kaehler") | {"flow": JOB["flow"] | {"search": {"name": "gauss-newton"}}}
    if kind == "features":
        features = {"name": "nearest-sections", "direction": [1.0, 1.5]}
        made = job("configuration")
        made["points"] |= {"chart": "all", "train": 60}
        made["kernel"] = {"name": "kaehler", "degree": 1, "features": features, "ridge": 1e-3}
        return made
    return JOB | {"kernel": {"name": kind} | KINDS.get(kind, {})}


def sections():
    """(kind whose job it is, name of the section, its model)."""
    for name, field in Config.model_fields.items():
        if isinstance(field.annotation, type) and name not in dict(own.doors(Config)):
            yield "gaussian", name, field.annotation
    for name, model in KERNELS.known().items():
        yield name, "kernel", model
    yield "network", "network", NETWORKS.find("multiplicative")
    for name, model in FAMILIES.known().items():
        yield name, "manifold", model
    yield "search", "flow.search", SEARCHES.find("gauss-newton")
    yield "features", "kernel.features", SPACES.find("nearest-sections").Keys


def parts(annotation, metadata=()):
    """A type without None and Annotated, and its bounds: (type, {Ge: .., Le: ..})."""
    found = {type(bound): next(iter(vars_of(bound).values())) for bound in flat(metadata)}
    options = [option for option in typing.get_args(annotation) if option is not type(None)]
    if typing.get_origin(annotation) is typing.Annotated:
        inner, more = parts(options[0], options[1:])
        return inner, found | more
    if type(None) in typing.get_args(annotation) and len(options) == 1:
        inner, more = parts(options[0])
        return inner, found | more
    return annotation, found


def flat(metadata):
    """The bounds among the notes of a type, also those within a Field."""
    for note in metadata:
        yield from flat(getattr(note, "metadata", ()))
        if isinstance(note, Ge | Gt | Le | Lt):
            yield note


def vars_of(bound):
    return {name: getattr(bound, name) for name in ("ge", "gt", "le", "lt") if hasattr(bound, name)}


def keys():
    """(kind, section, key, type, bounds) of every key."""
    for kind, section, model in sections():
        doors = dict(own.doors(model))
        for key, field in model.model_fields.items():
            if key in doors:
                yield kind, section, key, Literal[tuple(doors[key].known())], {}
                continue
            yield kind, section, key, *parts(field.annotation, field.metadata)
    for door in (KERNELS, FAMILIES):
        yield "gaussian", *door.key.split("."), Literal[tuple(door.known())], {}
    yield "network", *NETWORKS.key.split("."), Literal[tuple(NETWORKS.known())], {}


KEYS = [pytest.param(*row, id=".".join(row[:3])) for row in keys()]
#: Values of the right kind that no key of a type has, and of the wrong kinds.
WRONG = {
    int: [True, 1.5, 2.0, "2", NAN, INF, [1], {"a": 1}, -1, 2**70],
    float: [True, "0.03", NAN, INF, -INF, [0.1], {}, -1e300, 1e300],
    bool: [1, 0.0, "yes", []],
    str: [3, True, [], "", 1.0],
}
#: Of types that are neither of these: what each of those keys refuses.
OWN = {
    "psi": [1e7, NAN, INF, "1", [1], [1, 2, 3], [1, "a"], True, {}],
    "ladder": [3, [], [8], ["a", 8], [1.5, 8], [True, 8], [0, 8], [8, 41], [8, 3], [8, 8], NAN, {}],
    "chart": [[0], [0, 1, 2], [0, 0], [0, 7], [0, -1], [0, 1.0], "none", 3, NAN, [True, False]],
    "monomials": [3, [3], [[3, 0, "a"]], [[1.0, 2, 0]], [[-1, 2, 2]], [[True, 1, 1]], "a"],
    "coefficients": [3, ["a"], [NAN], [[1, 2, 3]], [1e300], [True]],
    "equations.monomials": [3, [3], [[3]], [[[2, "a"]]], [[[1.0, 1, 2, 0]]], [[[-1, 3, 2, 0]]], [[[True, 1]]], [], "a"],
    "equations.coefficients": [3, ["a"], [3], [[NAN]], [[[1, 2, 3]]], [[1e300]], [[True]]],
    "ambient": ["a", NAN, True, {}, 1.5, [], [0], [9], ["a"], [1.5], [True]],
    "degrees": [3, [], [3], [["a"]], [[1.5]], [[-1]], [[10]], [[True]], {}],
    "manifold.kaehler": [3, ["a"], [NAN], [INF], [True], [1e300], {}],
    "direction": [3, [], ["a"], [NAN, 1.0], [0.0, 1.0], [-1.0, 1.0], [1e300, 1.0], [True, 1.0], {}],
    "space": [3, {}, {"dt": [1, 2]}, {"flow.dt": []}, {"flow.dt": [2, 1]}, {"flow.dt": 3}, {"flow.dt": [[1], 2]}],
}


def wrong(table, section, key, kind, bounds):
    """What a key must refuse."""
    if typing.get_origin(kind) is Literal:
        return ["no such", 1, True, [], NAN]
    beyond = [value - 1 for bound, value in bounds.items() if bound in (Ge, Gt)]
    beyond += [value * 2 + 1 for bound, value in bounds.items() if bound in (Le, Lt)]
    return (
        OWN.get(f"{table}.{key}")
        or OWN.get(f"{section}.{key}")
        or OWN.get(key)
        or WRONG[kind] + [value for value in beyond if kind in (int, float)]
    )


def changed(kind, section, key, value):
    table = job(kind)
    head, _, inner = section.partition(".")
    there = dict(table.get(head, {}))
    there |= {inner: there[inner] | {key: value}} if inner else {key: value}
    # Another kind has other keys.
    if key == "name":
        there = {key: value} | KINDS.get(value if isinstance(value, str) else "", {})
    if key == "family":
        there = {key: value} | FAMILY.get(
            value if isinstance(value, str) else "", {} if real(value) else {"ambient": 2}
        )
        table = table | {"points": table["points"] | {"chart": CHART.get(str(value), [0, 1])}}
    return table | {head: there}


@pytest.mark.parametrize("kind, section, key, annotation, bounds", KEYS)
def test_what_a_key_cannot_be_is_refused_in_one_line_that_names_it(kind, section, key, annotation, bounds):
    for value in wrong(kind, section, key, annotation, bounds):
        with pytest.raises(InputError) as refusal:
            config.check(changed(kind, section, key, value), "x.toml")
        lines = str(refusal.value).splitlines()
        assert len(lines) == 1 and lines[0].startswith(f"x.toml: {section}.{key}"), (value, lines)
        assert len(lines[0]) < 300 and "Input" not in lines[0] and "validat" not in lines[0]


#: At its upper limit such a key is no small job any more, and nobody waits for it here.
LONG = {"steps", "width", "depth", "trials", "degree", "ambient", "points"}


#: What an extreme value needs beside it in its table.
BESIDE = {"generic": {"ridge": 1e-6}}
#: Extreme values of types that have no bounds to be read.
EXTREMES = {"psi": [0.0, 1e6, -1e6, [0.0, 1e6], [1e-300, -1e-300]], "chart": ["all", [2, 1], [1, 0]]}


def limits(key, kind, bounds):
    """The extreme values that a key may have."""
    if key in EXTREMES:
        return EXTREMES[key]
    if typing.get_origin(kind) is Literal:
        return list(typing.get_args(kind))
    if kind is bool:
        return [True, False]
    low = [value for bound, value in bounds.items() if bound is Ge]
    high = [value for bound, value in bounds.items() if bound is Le and key not in LONG]
    return low + high


LIMITS = [
    pytest.param(kind, section, key, value, id=f"{kind}.{section}.{key}={value}")
    for kind, section, key, annotation, bounds in keys()
    for value in limits(key, annotation, bounds)
]


@pytest.mark.parametrize("kind, section, key, value", LIMITS)
def test_a_key_at_its_limit_works_or_is_refused_by_its_name(kind, section, key, value, tmp_path, monkeypatch):
    if kind == "network":
        pytest.importorskip("jax")
    monkeypatch.setattr(report, "draw", lambda *_: "")
    table = changed(kind, section, key, value)
    if isinstance(value, str):
        table[section] |= BESIDE.get(value, {})
    try:
        settings = config.check(table, "x.toml")
        assert run(Comm(), settings, tmp_path / "run", Screen(0, quiet=True)) == 0
    except (InputError, NumericalError) as refusal:
        told = str(refusal)
        assert len(told.splitlines()) == 1
        assert f"{section}.{key}" in told or (isinstance(refusal, NumericalError) and "flow.dt" in told), told
