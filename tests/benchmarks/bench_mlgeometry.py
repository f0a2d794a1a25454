"""The same work for MLGeometry's bihomogeneous networks and for our potentials: one quintic, the same points, one core.

taskset -c 1 python tests/benchmarks/bench_mlgeometry.py dwork --rows rows.jsonl --peer PYTHON
taskset -c 1 python tests/benchmarks/bench_mlgeometry.py random:0 --rows rows.jsonl --ours log-4 network mine.toml

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
#: Epochs of Adam and iterations of a round of L-BFGS that the peer gets.
ADAM, ITERATIONS = 40, 20
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


def ours(quintic: str, name: str, surface: Hypersurface, test: Points) -> dict:
    """A run of ours, in memory, of the process that has loaded mpiflow."""
    table, begin = run_file(name, quintic), time.process_time()
    model = mpiflow.run(table)
    seconds = time.process_time() - begin + IMPORTS
    train = train_points(surface, table["points"]["train"])
    assert np.array_equal(model.train.points.z[np.argsort(model.train.layout.rows)], train.z), "not the peer's points"
    fit = measured(train, model.metric(train.z))["test"]
    found = {"train": fit, **measured(test, model.metric(test.z)), "seconds": seconds}
    return {"name": name, "who": name, "seed": SEED, "points": len(train), **found}


def peer(python: str, surface: Hypersurface, test: Points, options: argparse.Namespace, seed: int) -> dict:
    """A network of the peer. Raises CalledProcessError where it breaks down; its messages go to stderr."""
    sets = {"train": train_points(surface, options.train), "test": test}
    columns = {f"{kind}_{key}": column for kind, p in sets.items() for key, column in told(surface, p).items()}
    settings = map(str, (seed, options.adam, options.iterations, options.seconds))
    with tempfile.TemporaryDirectory() as folder:
        source, target = (os.path.join(folder, name) for name in ("points.npz", "metrics.npz"))
        np.savez(source, **columns)
        subprocess.run([python, WORKER, source, target, *settings], check=True, stdout=2)
        found = dict(np.load(target))
    return {
        "name": PEER,
        "who": f"{PEER}, {options.adam} epochs, {found['iterations']} iterations",
        "seed": seed,
        "points": options.train,
        "train": float(found["train"]),
        **measured(test, found["g"]),
        "own": float(found["test"]),
        "seconds": float(found["seconds"]),
    }


def told(surface: Hypersurface, points: Points) -> dict:
    """What the peer wants to know of points, in their charts."""
    restriction = surface.jacobian(points.z, points.chart).transpose(0, 2, 1)
    return {"z": points.z, "omega2": points.omega2, "weight": points.weight, "restriction": restriction}


class Rows:
    """Results of one quintic, one JSON line each in a file that others may add to."""

    def __init__(self, path: str, quintic: str):
        self.path, self.quintic = path, quintic

    def __iter__(self):
        if os.path.exists(self.path):
            with open(self.path) as file:
                yield from (row for row in map(json.loads, file) if row["quintic"] == self.quintic)

    def add(self, found: dict) -> None:
        with open(self.path, "a") as file:
            file.write(json.dumps({"quintic": self.quintic, **found}) + "\n")

    def has(self, who: str, seed: int) -> bool:
        return any(row["name"] == who and row["seed"] == seed for row in self)


def printed(rows: Rows) -> None:
    """All rows, and how far ours are from the best seed of the peer."""
    print(
        "| quintic | who | train points | seed | sigma, train | unseen | max eta-1 | positive | CPU s | best peer over it |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    best = min((row["test"] for row in rows if row["name"] == PEER), default=np.nan)
    for row in rows:
        print(
            f"| {row['quintic']} | {row['who']} | {row['points']} | {row['seed']} | {row['train']:.3g} | {row['test']:.3g} | "
            f"{row['most']:.2g} | {100 * row['positive']:.4g} % | {row['seconds']:.0f} | {best / row['test']:.3g} |"
        )
    off = max((abs(row["own"] / row["test"] - 1) for row in rows if row["name"] == PEER), default=0)
    print(f"\nThe peer's own sigma of the unseen points is ours to {off:.1e}.")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("quintic", help="dwork, or random:SEED")
    options.add_argument("--rows", required=True, help="file of results, one line each")
    options.add_argument("--ours", nargs="*", default=[], help=f"{', '.join(OURS)}, or run files")
    options.add_argument("--peer", help="python of an environment with MLGeometry")
    options.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2], help="of the peer's network")
    options.add_argument("--train", type=int, default=TRAIN, help="train points of the peer")
    options.add_argument("--adam", type=int, default=ADAM, help="the peer's epochs of Adam")
    options.add_argument("--iterations", type=int, default=ITERATIONS, help="of a round of its L-BFGS")
    options.add_argument("--seconds", type=float, default=280, help="CPU time after which no round begins")
    args = options.parse_args()
    surface, rows = manifold(args.quintic).domain(), Rows(args.rows, args.quintic)
    test = sampling.sample(Comm(), surface, TEST, SEED, sampling.EVALUATE)[1]
    print(
        f"{args.quintic}: sigma of g_FS {measured(test, surface.reference(test.z, test.chart))['test']:.4g}", flush=True
    )
    for name in args.ours:
        if not rows.has(name, SEED):
            rows.add(ours(args.quintic, name, surface, test))
    for seed in args.seeds if args.peer else ():
        if not rows.has(PEER, seed):
            rows.add(peer(args.peer, surface, test, args, seed))
    printed(rows)


if __name__ == "__main__":
    main()
