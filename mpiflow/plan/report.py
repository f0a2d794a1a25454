"""The plan of a run as plain values and as tables."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from rich.console import Group
from rich.table import Table

from mpiflow.config import Config
from mpiflow.methods import registry
from mpiflow.plan import fit, process
from mpiflow.plan.machine import Machine


def base(config: Config) -> int:
    """Bytes of a process that has loaded all that a run loads: those of this one."""
    import mpiflow.job.job  # noqa: F401

    registry.of(config).load(config)
    return process.peak()


def facts(
    config: Config, path: Path, ranks: int, limits: fit.Limits, machine: Machine, overrides: Sequence[str] = ()
) -> dict:
    """The plan as plain values. Raises InputError where the run cannot fit, with the nearest setting that does.

    path, overrides: what config was read from, and what it was changed by.
    """
    limits.serve(ranks)
    of, config = registry.of(config).costs().Costs, _placed(config, limits)
    here = process.peak()
    if not config.moved_by.quadratic:
        # Before all is loaded, which takes seconds.
        fit.check(of, of(config, ranks), here, limits)
    # First what is loaded: judging the reach of a kernel of pairs takes memory of its own.
    loaded, costs = base(config), of(config, ranks)
    # As a run asks, and again with what is loaded.
    fit.check(of, costs, here, limits)
    fit.check(of, costs, loaded, limits)
    held = {name: loaded + process.KEPT + size for name, size in costs.bytes().items()}
    held["report"] = loaded + costs.flowing + process.PICTURE
    kept = config.output.keep + (config.flow.steps // config.output.keep_every if config.output.keep_every else 0)
    times = costs.seconds(machine)
    return {
        "ranks": ranks,
        "gpus": limits.gpus,
        "engine": costs.mode,
        "bytes": held,
        "peak_bytes": max(held.values()),
        "gpu_bytes": limits.sharers(ranks) * costs.on_device,
        "seconds": times,
        "seconds_a_step": sum(costs.step(machine).values()),
        "states": {"written": costs.saves, "kept": min(costs.saves, kept), "bytes_each": costs.state},
        "machine": machine.origin,
        "sbatch": _sbatch([f"{path}", *overrides], ranks, limits, max(held.values()), sum(times.values())),
    }


def _placed(config: Config, limits: fit.Limits) -> Config:
    """The run file as it will be run on what there is."""
    if not limits.gpus or config.run.backend != "auto":
        return config
    return config.model_copy(update={"run": config.run.model_copy(update={"backend": "gpu"})})


def _sbatch(words: list[str], ranks: int, limits: fit.Limits, peak: int, total: float) -> str:
    """A line to submit a run file with its overrides: twice the predicted time, a quarter more memory than predicted."""
    nodes = limits.nodes(ranks)
    tasks = -(-ranks // nodes)
    minutes = max(10, int(2 * total / 60) + 5)
    memory_mb = int(1.25 * peak * tasks / 2**20)
    asked = f"-N{nodes} --ntasks-per-node={tasks}{_gpus(limits.gpus, nodes)} --mem={memory_mb}M -t {minutes}"
    return f"sbatch {asked} slurm/flow.sbatch {' --set '.join(map(shlex.quote, words))}"


def _gpus(gpus: int, nodes: int) -> str:
    """Words of Slurm for the GPUs of a node. Its ranks see them all: bound to one, they could not reach each other's memory."""
    return f" --gpus-per-node={-(-gpus // nodes)} --gpu-bind=none" if gpus else ""


def rendered(found: dict) -> Group:
    """The plan as tables for the screen, but for the line to submit, which no table breaks."""
    table = Table("stage", title=f"{found['ranks']} ranks, {found['engine']} engine", title_justify="left")
    table.add_column("GiB a rank", justify="right")
    table.add_column("seconds", justify="right")
    for name, size in found["bytes"].items():
        takes = found["seconds"].get(name)
        table.add_row(name, f"{size / 2**30:.3f}", "" if takes is None else f"{takes:.3g}")
    table.add_row("all", f"{found['peak_bytes'] / 2**30:.3f}", f"{sum(found['seconds'].values()):.3g}", style="bold")
    states = found["states"]
    lines = Table.grid(padding=(0, 2))
    if found["gpus"]:
        lines.add_row("on each GPU", f"{found['gpu_bytes'] / 2**30:.3f} GiB")
    lines.add_row("a step", f"{found['seconds_a_step']:.3g} s")
    sizes = f"{states['bytes_each'] / 2**20:.1f} MiB each"
    lines.add_row("states", f"{states['written']} written, {states['kept']} kept, {sizes}")
    lines.add_row("times from", found["machine"])
    return Group(table, lines)
