"""Orbits of a finite group on pairs of monomials of a multidegree: functions z^alpha zbar^beta and their sums."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from mpiflow.errors import InputError
from mpiflow.geometry.polynomial import places

#: Orbits at most: the values of all on a sample are one matrix.
_MOST = 4000


def orbits(group, exponents: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of monomials, orbit by orbit, where each orbit begins, and which are imaginary parts."""
    left, right, label, swapped = _labels(group, exponents)
    if label.max() >= _MOST:
        raise InputError(
            f"kernel.degree: {label.max() + 1} orbits of functions under {group}, and {_MOST} are the most that are "
            'told apart; take a lower degree, or kernel.features = "sections"'
        )
    # Of two orbits that conjugation swaps, one; its imaginary part as well, where they are two.
    first = np.minimum(label, label[swapped])
    order = np.argsort(label, kind="stable")
    real = order[(label == first)[order]]
    imaginary = order[((label == first) & (label != label[swapped]))[order]]
    rows = np.concatenate([real, imaginary])
    number = np.concatenate([label[real], label[imaginary] + len(left)])
    starts = np.append(np.flatnonzero(np.diff(number, prepend=-1)), len(rows))
    turned = (number[starts[:-1]] >= len(left)).astype(np.int64)
    return np.stack([left[rows], right[rows]], axis=1), starts, turned


def averaged(group, exponents: np.ndarray, form: np.ndarray) -> np.ndarray:
    """The mean of a Hermitian form in all monomials over the group: (M, M) complex, both."""
    left, right, label, _ = _labels(group, exponents)
    there, found = form[left, right], np.zeros_like(form)
    means = (np.bincount(label, there.real) + 1j * np.bincount(label, there.imag)) / np.bincount(label)
    found[left, right] = means[label]
    return found


def _labels(group, exponents: np.ndarray) -> tuple[np.ndarray, ...]:
    """Pairs of monomials that phases leave alone, left and right, the orbit of each, and which pair is it swapped: (K,) int."""
    size, kind = len(exponents), group.classes(exponents)
    left, right = np.nonzero(kind[:, None] == kind)
    number = np.full(size**2, -1)
    number[left * size + right] = np.arange(len(left))
    moves = [places(exponents, exponents[:, row]) for row in group.generators]
    swapped = number[right * size + left]
    images = [number[move[left] * size + move[right]] for move in moves]
    return left, right, _components(images + ([swapped] if group.conjugation else []), len(left)), swapped


def _components(images: list[np.ndarray], size: int) -> np.ndarray:
    """Labels of the orbits of maps of 0 .. size - 1: (size,) int."""
    rows = np.tile(np.arange(size), len(images))
    edges = sparse.csr_array(
        (np.ones(len(rows)), (rows, np.concatenate([*images, np.zeros(0, int)]))), shape=(size, size)
    )
    return sparse.csgraph.connected_components(edges, directed=False)[1]
