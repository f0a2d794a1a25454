"""Whether all ranks run the same program: ranks of different versions would compute one run in two ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpiflow.errors import InputError

if TYPE_CHECKING:
    from mpiflow.comm import Comm


def check(comm: Comm, version: str, commit: str) -> None:
    """Raises InputError, on every rank, where the ranks have different versions or commits of mpiflow; collective.

    commit: that this rank runs from, "" where it is not known.
    """
    every = comm.allgather((version, commit))
    # A rank that cannot ask git is told from the others by its version alone.
    versions, commits = {one for one, _ in every}, {one for _, one in every if one}
    if len(versions) > 1 or len(commits) > 1:
        raise InputError(
            f"the ranks run different mpiflows: {grouped([_named(*one) for one in every])}; install the same one on every "
            "node (pip show mpiflow says from where a python has it), then start again"
        )


def mixed(what: str, values: list[str]) -> str:
    """One line where the ranks have not all the same processor, or whatever else may move bits; "" where they have."""
    if len(set(values)) < 2:
        return ""
    return f"the ranks differ in their {what}: {grouped(values)}: bits may depend on which rank computes what"


def grouped(values: list[str]) -> str:
    """One value for each rank as "a on ranks 0-2, b on rank 3", in the order of the first ranks."""
    ranks: dict[str, list[int]] = {}
    for rank, value in enumerate(values):
        ranks.setdefault(value, []).append(rank)
    return ", ".join(f"{value} on {_numbers(which)}" for value, which in ranks.items())


def _named(version: str, commit: str) -> str:
    changed = " with changes" if commit.endswith("+") else ""
    return f"{version} (commit {commit[:12]}{changed})" if commit else version


def _numbers(ranks: list[int]) -> str:
    """Ranks in ascending order as "rank 3" or "ranks 0-2, 7"; of many runs of numbers the first few."""
    runs: list[list[int]] = []
    for rank in ranks:
        if runs and rank == runs[-1][1] + 1:
            runs[-1][1] = rank
        else:
            runs.append([rank, rank])
    words = [f"{a}-{b}" if b > a else str(a) for a, b in runs[:4]]
    more = " and more" if len(runs) > 4 else ""
    return f"rank{'s' * (len(ranks) > 1)} {' and '.join(words) if len(words) < 3 else ', '.join(words)}{more}"
