"""The same work for MLGeometry's bihomogeneous networks and for our potentials: quintics, the same points, one core.

taskset -c 1 python tests/benchmarks/bench_mlgeometry.py dwork random:0 --rows rows.jsonl --ours log-4 --peer PYTHON
taskset -c 1 python tests/benchmarks/bench_mlgeometry.py random:0 --rows rows.jsonl --ours log-5 network mine.toml
python tests/benchmarks/bench_mlgeometry.py dwork random:0 random:1 --rows rows.jsonl        # the table alone

PYTHON has the peer, which wants Python 3.12 (on 3.11 pip needs --ignore-requires-python, or takes version 2.0.0 in silence):
    python3.12 -m venv peer && peer/bin/pip install mlgeometry-jax==2.2.2 && ls peer/bin/python
dwork is the quintic of its notebook, sum z^5 + .5 prod z, our psi = -.1. The peer's own generator takes minutes for 126 terms:
it gets our train points, and is asked for g at our unseen ones. sigma is one formula for all, here. --ours names entries of
OURS or run files, of which manifold, seed and charts are replaced. CPU seconds are those of a process on one core, with imports
and compilations. Every row is put away in --rows as it is found, and what is there is not done anew.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
import tomllib
from collections.abc import Callable

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import bench_log
import numpy as np

import mpiflow
from mpiflow import sampling
from mpiflow.comm import Comm
from mpiflow.geometry.families.dwork import Dwork
from mpiflow.geometry.families.random import Random
from mpiflow.geometry.hypersurface import Hypersurface
from mpiflow.sampling import Points

IMPORTS = time.process_time()
PEER = "MLGeometry"
SEED, TEST, TRAIN = 1, 20_000, 50_000
WORKER = os.path.join(os.path.dirname(__file__), "peers", "mlgeometry_worker.py")
#: Our runs, as run files whose manifold is replaced.
OURS = {
    "log-4": bench_log.CASES["random:0-4"],
    "log-5": bench_log.CASES["random:0-5"],
    "log-6": bench_log.CASES["random:0-6"],
    "invariant-12": bench_log.CASES["dwork--0.1-invariant"],
    "network": {
        "run": {"precision": "float32"},
        "points": {"train": TRAIN},
        "network": {"kind": "potential", "batch": 64, "decay": 0.9},
        "flow": {"dt": 2e-3, "steps": 35},
    },
}


def manifold(name: str) -> Dwork | Random:
    """dwork, or random:SEED with complex Gaussian coefficients of all 126 monomials."""
    return Dwork(psi=-0.1) if name == "dwork" else Random(seed=int(name.removeprefix("random:")))


def run_file(name: str, quintic: str) -> dict:
    """An entry of OURS, or a run file, on this quintic's train points of all charts."""
    if name.endswith(".toml"):
        with open(name, "rb") as file:
            table = tomllib.load(file)
    else:
        table = OURS[name]
    run = {"name": quintic, **table.get("run", {}), "seed": SEED}
    points = {**table["points"], "chart": "all", "test": 1000}
    return {**table, "manifold": manifold(quintic).model_dump(mode="json"), "run": run, "points": points}


def train_points(surface: Hypersurface, total: int) -> Points:
    """The first points that every run of ours trains on."""
    return sampling.sample(Comm(), surface, total, SEED, sampling.TRAIN)[1]


def measured(points: Points, g: np.ndarray) -> dict:
    """sigma, the w-mean of |1 - eta| (HR B.11) with kappa that of these points; the largest |1 - eta|; the share of positive g.

    g: (N, d, d) complex, in the points' charts, of any scale: kappa takes it out.
    """
    g = g.astype(np.complex128)
    ratio = np.linalg.det(g).real / points.omega2
    off = np.abs(1 - ratio / np.average(ratio, weights=points.weight))
    positive = float((np.linalg.eigvalsh(g)[:, 0] > 0).mean())
    return {"test": float(np.average(off, weights=points.weight)), "most": float(off.max()), "positive": positive}


def ours(table: dict, test: Points, surface: Hypersurface) -> dict:
    """A run of ours, in memory, by a process that has loaded mpiflow."""
    begin = time.process_time()
    model = mpiflow.run(table)
    seconds = time.process_time() - begin + IMPORTS
    train = train_points(surface, table["points"]["train"])
    assert np.array_equal(model.train.points.z[np.argsort(model.train.layout.rows)], train.z), "not the peer's points"
    fit = measured(train, model.metric(train.z))["test"]
    return {"points": len(train), "train": fit, **measured(test, model.metric(test.z)), "seconds": seconds}


def peer(options: argparse.Namespace, seed: int, test: Points, surface: Hypersurface) -> dict:
    """A network of the peer. Raises CalledProcessError where it breaks down; its messages go to stderr."""
    sets = {"train": train_points(surface, options.train), "test": test}
    columns = {f"{kind}_{key}": column for kind, p in sets.items() for key, column in told(p, surface).items()}
    settings = map(str, (seed, options.adam, options.iterations, options.seconds))
    with tempfile.TemporaryDirectory() as folder:
        source, target = (os.path.join(folder, name) for name in ("points.npz", "metrics.npz"))
        np.savez(source, **columns)
        subprocess.run([options.peer, WORKER, source, target, *settings], check=True, stdout=2)
        found = dict(np.load(target))
    numbers = {"train": float(found["train"]), "own": float(found["test"]), "seconds": float(found["seconds"])}
    setting = f"{options.adam} + {found['iterations']}"
    return {"points": options.train, "setting": setting, **measured(test, found["g"]), **numbers}


def told(points: Points, surface: Hypersurface) -> dict:
    """What the peer wants to know of points, in their charts."""
    restriction = surface.jacobian(points.z, points.chart).transpose(0, 2, 1)
    return {"z": points.z, "omega2": points.omega2, "weight": points.weight, "restriction": restriction}


class Rows:
    """Results, one JSON line each in a file that others may add to."""

    def __init__(self, path: str):
        self.path = path

    def of(self, quintic: str, **wanted) -> list[dict]:
        """Those of a quintic, with these values."""
        if not os.path.exists(self.path):
            return []
        with open(self.path) as file:
            return [row for row in map(json.loads, file) if row.items() >= {"quintic": quintic, **wanted}.items()]

    def fill(self, quintic: str, name: str, seed: int, found: Callable[[], dict]) -> None:
        """Put a result away, unless it is there."""
        if not self.of(quintic, name=name, seed=seed):
            row = {"quintic": quintic, "name": name, "seed": seed, **found()}
            with open(self.path, "a") as file:
                file.write(json.dumps(row) + "\n")


def filled(rows: Rows, quintic: str, options: argparse.Namespace) -> None:
    """All that is asked for of a quintic."""
    surface = manifold(quintic).domain()
    test = sampling.sample(Comm(), surface, TEST, SEED, sampling.EVALUATE)[1]
    for name in options.ours:
        rows.fill(quintic, name, SEED, lambda name=name: ours(run_file(name, quintic), test, surface))
    for seed in options.seeds if options.peer else ():
        rows.fill(quintic, PEER, seed, lambda seed=seed: peer(options, seed, test, surface))
    rows.fill(quintic, "Fubini-Study", SEED, lambda: measured(test, surface.reference(test.z, test.chart)))


def printed(rows: list[dict]) -> None:
    """One quintic: the peer first, and how far the others are from its best seed."""
    peers = [row for row in rows if row["name"] == PEER]
    best = min((row["test"] for row in peers), default=np.nan)
    for row in sorted(
        rows, key=lambda row: (row["name"] != PEER, -row["test"] if row["name"] != PEER else row["seed"])
    ):
        fit = f"{row['train']:.3g} | {row['points']} | {row['seconds']:.0f}" if "train" in row else " | | "
        print(
            f"| {row['quintic']} | {row['name']} {row.get('setting', '')} | {row['seed']} | {row['test']:.3g} | "
            f"{row['most']:.2g} | {100 * row['positive']:.4g} % | {fit} | {best / row['test']:.3g} |"
        )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("quintics", nargs="+", help="dwork, or random:SEED")
    options.add_argument("--rows", required=True, help="file of results, one line each")
    options.add_argument("--ours", nargs="*", default=[], help=f"{', '.join(OURS)}, or run files")
    options.add_argument("--peer", help="python of an environment with MLGeometry")
    options.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2], help="of the peer's network")
    options.add_argument("--train", type=int, default=TRAIN, help="train points of the peer")
    options.add_argument("--adam", type=int, default=40, help="the peer's epochs of Adam")
    options.add_argument("--iterations", type=int, default=20, help="of a round of its L-BFGS")
    options.add_argument("--seconds", type=float, default=280, help="CPU time after which no round begins")
    args = options.parse_args()
    rows = Rows(args.rows)
    for quintic in args.quintics:
        filled(rows, quintic, args)
    print(
        "| quintic | who | seed | sigma | max eta-1 | positive | sigma, train | train points | CPU s | best peer over it |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for quintic in args.quintics:
        printed(rows.of(quintic))
    own = [row["own"] / row["test"] - 1 for quintic in args.quintics for row in rows.of(quintic, name=PEER)]
    print(f"\nThe peer's own sigma of the unseen points is ours to {np.abs(own).max(initial=0):.1e}.")


if __name__ == "__main__":
    main()
