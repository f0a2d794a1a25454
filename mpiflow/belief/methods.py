"""What each method leaves in a state to predict the metric, held against its run file: indices are used unchecked later."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mpiflow.belief.points import hermitian, missing, outside
from mpiflow.config import Config
from mpiflow.methods import own
from mpiflow.state.load import State

_POTENTIAL = ("potential/coefficients", "potential/frozen_at", "potential/steps")
_INVARIANT = tuple(
    f"potential/{name}" for name in ("generators", "shift", "scale", "degree", "factor", "parent", "overlap")
)
_NETWORK = tuple(f"network/{name}" for name in ("parameters", "adam_mean", "adam_variance", "adam_count", "epochs"))
_ENGINES = ("resident", "streamed", "symmetric", "neighbours")


def complaints(state: State, config: Config) -> Iterator[str]:
    """What does not agree, the first that is found; what comes after it may not make sense."""
    if config.network:
        yield from _network(state, config)
    elif config.method == "kaehler":
        yield from _potential(state, config)
    else:
        yield from _components(state, config)


def _components(state: State, config: Config) -> Iterator[str]:
    name = "flow/accumulated_gradient"
    yield from missing(state.arrays, (name,))
    yield from hermitian(name, state.arrays[name])
    text, sha256 = (state.attributes.get(f"kernel_{name}", "") for name in ("text", "sha256"))
    if (text or sha256) and own.digest(text) != sha256:
        yield "attribute kernel_sha256 is not that of kernel_text"
    if ":" in config.method and not sha256:
        yield "attribute kernel_sha256 is not there"
    if state.attributes["engine"] not in _ENGINES:
        yield f"attribute engine is {state.attributes['engine'][:40]!r}: it is one of {', '.join(_ENGINES)}"


def _network(state: State, config: Config) -> Iterator[str]:
    yield from missing(state.arrays, _NETWORK)
    n, size = config.network, config.manifold.ambient + 1
    ends = (size * size, 1) if n.kind == "potential" else (2 * size, (size - 2) ** 2)
    widths = [ends[0], *[n.width] * n.depth, ends[1]]
    number = sum((a + 1) * b for a, b in zip(widths[:-1], widths[1:], strict=True))
    for name in _NETWORK[:3]:
        found = state.arrays[name]
        if found.shape != (number,) or found.dtype != config.run.precision:
            yield f"{name} is {found.dtype}{list(found.shape)}: the run file says {config.run.precision}[{number}]"
    yield from outside(_NETWORK[2], state.arrays[_NETWORK[2]], 0, np.inf)
    yield from _single(state, "network/epochs", state.step)
    yield from outside("network/adam_count", state.arrays["network/adam_count"], 0, np.inf)


def _potential(state: State, config: Config) -> Iterator[str]:
    arrays, generic = state.arrays, config.kernel.features == "generic"
    yield from missing(arrays, _POTENTIAL + (("potential/exponents",) if generic else _INVARIANT))
    yield from _single(state, "potential/steps", state.step)
    number = len(arrays["potential/exponents"]) ** 2 if generic else len(arrays["potential/degree"]) - 1
    for name in _POTENTIAL[:2]:
        if arrays[name].dtype != np.float64 or len(arrays[name]) != number or not number:
            yield f"{name} is {arrays[name].dtype}[{len(arrays[name])}]: there are {number} features"
    yield from (_sections if generic else _invariants)(arrays, config.kernel.degree)


def _single(state: State, name: str, value: int) -> Iterator[str]:
    found = state.arrays[name]
    if found.tolist() != [value]:
        yield f"{name} is {found[:3].tolist()} at step {value}"


def _sections(arrays: dict[str, np.ndarray], degree: int) -> Iterator[str]:
    exponents = arrays["potential/exponents"]
    yield from outside("potential/exponents", exponents, 0, degree)
    if (exponents.sum(1) != degree).any():
        yield f"potential/exponents are not of degree {degree}"


def _invariants(arrays: dict[str, np.ndarray], k: int) -> Iterator[str]:
    degree, factor, parent, overlap = (
        arrays[f"potential/{name}"] for name in ("degree", "factor", "parent", "overlap")
    )
    generators, basis = arrays["potential/generators"], len(degree)
    yield from outside("potential/generators", generators, 0, k)
    if generators.shape[2] != 2 or (generators.sum(1) > k).any():
        yield f"potential/generators are not of degree {k} or less"
    if overlap.shape != (basis, basis) or not overlap.diagonal().all():
        yield "potential/overlap is no square matrix with a diagonal"
    if not arrays["potential/scale"].all():
        yield "potential/scale holds a zero"
    if degree[0] != 0 or (degree[1:] < 1).any() or (np.diff(degree) < 0).any() or degree[-1] > k:
        yield f"potential/degree does not ascend from 0 to at most {k}"
    # A function is made of those of lower degrees alone, products before generators.
    start = np.searchsorted(degree, degree)[1:]
    yield from outside("potential/factor", factor, -len(generators), basis - 1)
    yield from outside("potential/parent", parent, 0, basis - 1)
    if (factor[1:] >= start).any() or (parent[1:] >= start).any():
        yield "potential/factor, potential/parent point at functions that are not known yet"
    if ((np.diff(factor[1:] >= 0) & (factor[2:] >= 0)) & (np.diff(degree[1:]) == 0)).any():
        yield "potential/factor has generators before products"
