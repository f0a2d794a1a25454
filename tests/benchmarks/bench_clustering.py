"""Clustering against its targets: python tests/benchmarks/bench_clustering.py PART ...; --help lists the parts.

`million` runs itself under mpiexec -n 2 for each number of points. One thread a process; times are CPU seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
from rounds import clocked

from mpiflow.clustering import LINKAGES
from mpiflow.clustering import MERGES as EVERY
from mpiflow.clustering.batches import Batches
from mpiflow.clustering.clusters import cluster
from mpiflow.clustering.merges.moments import planned_bytes
from mpiflow.clustering.quality import quality, silhouette
from mpiflow.comm import Comm, world
from mpiflow.geometry import projective
from mpiflow.geometry.families.fermat import Fermat
from mpiflow.plan import process
from mpiflow.ranks.ending import ends_together
from mpiflow.ranks.shards import owners, tiles
from mpiflow.sampling import TRAIN, chunk

SURFACE = Fermat(ambient=4).domain()
MERGES = {name: EVERY.made(name).merge for name in ("greedy", "assignment", "moments")}
K_MEANS = EVERY.made("kmeans").merge


def cluster_batch(z: np.ndarray, count: int, name: str = "average") -> np.ndarray:
    """Clusters of one mini-batch by a linkage of ours."""
    return LINKAGES.made(name).clusters(z, count)


def points(start: int, stop: int) -> np.ndarray:
    """Points [start, stop) of the quintic, all charts."""
    each = SURFACE.cuts * SURFACE.degree
    rows = [chunk(SURFACE, 1, TRAIN, number, None).z for number in range(start // each, -(-stop // each))]
    return np.concatenate([np.zeros((0, 5), complex), *rows])[start % each :][: stop - start]


def peak() -> float:
    """Peak memory of this process so far, in GB."""
    return process.peak() / 1e9


def linkage(size: int = 10_000, count: int = 20) -> None:
    """Mini-batch linkage against scikit-learn, distances included, each in a process of its own."""
    found = {name: _alone("one_linkage", name, size, count) for name in ("scikit-learn", "average", "chordal")}
    found["chordal of 50 000"] = _alone("one_linkage", "chordal", 50_000, count)
    theirs = found["scikit-learn"]
    for name, ours in found.items():
        ratios = (
            f"{theirs['seconds'] / ours['seconds']:.1f} times faster, {ours['memory'] / theirs['memory']:.2f} of the"
        )
        print(f"{name}: {ours['seconds']:.2f} s, {ours['memory']:.3f} GB ({ratios} memory)")
    print("average has scikit-learn's labels:", found["average"]["label"] == theirs["label"])


def one_linkage(name: str, size: int, count: int) -> dict:
    """CPU seconds, memory above that of the points, and labels of one linkage: the median of three rounds."""
    from sklearn.cluster import AgglomerativeClustering

    from mpiflow.clustering.partition import canonical

    def theirs():
        model = AgglomerativeClustering(n_clusters=count, metric="precomputed", linkage="average")
        return canonical(model.fit_predict(projective.distances(z, z)))

    z = points(0, size)
    step = theirs if name == "scikit-learn" else lambda: cluster_batch(z, count, name)
    cluster_batch(z[:100], 2, "average")
    before, rounds = peak(), [clocked(step) for _ in range(3 if size <= 10_000 else 1)]
    label = [int(c) for c in rounds[0][0]]
    return {"seconds": float(np.median([s for _, s in rounds])), "memory": peak() - before, "label": label}


def merges(sizes: tuple[tuple[int, int], ...] = ((1000, 200), (10_000, 2000))) -> None:
    """How near each merge comes to the clustering of all points in one batch, for C = 5, 10, 20."""
    from sklearn.metrics import adjusted_rand_score

    for total, batch in sizes:
        z = points(0, total)
        for count in (5, 10, 20):
            whole = cluster_batch(z, count)
            print(f"{total} points, C = {count}: one batch {silhouette(Comm(), z, whole).mean:.4f}")
            for merge in (*MERGES, "kmeans"):
                label = cluster(Comm(), z, 0, total, count=count, batch=batch, merge=merge).label
                rand = adjusted_rand_score(whole, label)
                found = quality(Comm(), z, label)
                print(
                    f"  {merge:10} silhouette {found.silhouette.mean:.4f}, adjusted Rand index {rand:.3f}, "
                    f"own neighbours {found.neighbours:.2f}, diameter {found.diameter.max():.2f}"
                )


def moments_and_distances(total: int = 100_000, batch: int = 10_000, count: int = 20) -> None:
    """Time and silhouette of the merge by moments against that by exact mean distances."""
    z = points(0, total)
    batches = Batches(Comm(), total, batch)
    label = np.concatenate([cluster_batch(z[batches.rows(b)], count) for b in batches.mine])
    for name, merge in MERGES.items():
        (merged, _), seconds = clocked(lambda merge=merge: merge(batches, z, label, count))
        found = silhouette(Comm(), z, merged)
        print(f"{name:10} {seconds:8.3f} s, silhouette {found.mean:.4f} +- {found.error:.4f}")


def k_means() -> None:
    """Silhouettes at 1000 points, and the time of k-means against the number of points."""
    z = points(0, 1000)
    for count in (5, 10, 20):
        label = cluster(Comm(), z, 0, 1000, count=count, batch=1000, merge="kmeans").label
        ours, whole = (silhouette(Comm(), z, found).mean for found in (label, cluster_batch(z, count)))
        print(f"C = {count}: k-means {ours:.3f}, one batch of average linkage {whole:.3f}, ratio {ours / whole:.2f}")
    for total in (50_000, 100_000, 200_000, 400_000):
        z = points(0, total)
        (_, rounds), seconds = clocked(lambda z=z, total=total: K_MEANS(Batches(Comm(), total, 10_000), z, None, 20))
        print(
            f"N = {total}: {seconds:.2f} s, {len(rounds)} iterations, {1e9 * seconds / total / len(rounds):.0f} ns each"
        )


def imbalance() -> None:
    """C = 20 clusters on 4 ranks, one of them ten times the mean, cost n^2."""
    draw = np.random.default_rng(0)
    for _ in range(3):
        sizes = [int(size) for size in draw.uniform(500, 1500, 19)]
        sizes.append(int(10 * np.mean(sizes) * 19 / 10))
        cut = tiles(sizes)
        owner, worst = owners(cut, [float(size) for size in sizes], 4)
        parts = {(int(owner[tile.number]), tile.cluster) for tile in cut}
        print(f"largest / mean size {sizes[-1] / np.mean(sizes):.1f}: imbalance {worst:.4f}, {len(parts)} parts")


def volume(picture: str = "build/exchange.png") -> None:
    """Bytes that a rank receives in the merge by moments, planned for 1 to 1024 ranks with 4 batches each."""
    from matplotlib.figure import Figure

    ranks = 2 ** np.arange(11)
    most = [planned_bytes(4 * r, r, 20, 5).sum(1).max() for r in map(int, ranks)]
    for r, received in zip(ranks, most, strict=True):
        print(f"{r:5} ranks, {4 * r:5} batches: at most {received} bytes a rank")
    figure = Figure(figsize=(5, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(4 * ranks, most, "o-", label="planned, most of any rank")
    axes.plot(4 * ranks, most[-1] / 10 * np.log2(ranks), "k:", label="log2 of the ranks")
    axes.set(xscale="log", xlabel="batches (4 a rank)", ylabel="bytes a rank receives in the merge")
    axes.legend(frameon=False)
    Path(picture).parent.mkdir(exist_ok=True)
    figure.savefig(picture, dpi=150)


def million(sizes: tuple[int, ...] = (125_000, 250_000, 1_000_000)) -> None:
    """All stages on 2 ranks against the number of points: the slower rank, the larger peak; exponents in N."""
    found = []
    for total in sizes:
        command = [Path(sys.executable).parent / "mpiexec", "-n", "2", sys.executable, __file__, "--stages", str(total)]
        said = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True).stdout
        found.append(json.loads(said.splitlines()[-1]))
        for stage, took in found[-1].items():
            print(total, stage, {key: round(value, 3) for key, value in took.items()}, flush=True)
    for stage in found[0]:
        slopes = {
            key: round(float(np.polyfit(np.log(sizes), np.log([took[stage][key] for took in found]), 1)[0]), 2)
            for key in ("cpu", "peak GB")
        }
        print(f"{stage}: exponents in N {slopes}")


def stages(total: int, batch: int = 10_000, count: int = 20) -> None:
    """k-means, mini-batch linkage and merges on the ranks of this job; rank 0 prints what each took.

    A merge's own time and the peak memory so far, k-means being first: the peak of a merge holds that of the linkage.
    """
    comm = world()
    batches = Batches(comm, total, batch)
    z = points(batches.mine.start * batch, min(batches.mine.stop * batch, total))
    label = np.empty(len(z), np.int32)
    cluster_batch(z[:100], 2)

    def link():
        for b in batches.mine:
            label[batches.rows(b)] = cluster_batch(z[batches.rows(b)], count)
        return label, np.zeros(1)

    steps = {
        "k-means": lambda: K_MEANS(batches, z, None, count),
        "linkage": link,
        "moments": lambda: MERGES["moments"](batches, z, label, count),
        "greedy": lambda: MERGES["greedy"](batches, z, label, count),
    }
    took = {}
    for name, step in steps.items():
        comm.barrier()
        wall, cpu = time.perf_counter(), time.process_time()
        merged, received = step()
        own = [time.perf_counter() - wall, time.process_time() - cpu, peak(), float(received.sum())]
        took[name] = dict(zip(("wall", "cpu", "peak GB", "bytes"), np.max(comm.allgather(own), axis=0), strict=True))
        if name != "linkage":
            took[name]["silhouette"] = silhouette(comm, z, merged).mean
    if comm.rank == 0:
        print(json.dumps(took))


def _alone(*call) -> dict:
    """A function of this file in a process of its own, so that its peak memory is its own."""
    said = subprocess.run(
        [sys.executable, __file__, "--alone", json.dumps(call)], capture_output=True, text=True, check=True
    )
    return json.loads(said.stdout)


PARTS = (linkage, merges, moments_and_distances, k_means, imbalance, volume, million)

if __name__ == "__main__":
    if sys.argv[1:2] == ["--alone"]:
        name, *arguments = json.loads(sys.argv[2])
        print(json.dumps(globals()[name](*arguments)))
    elif sys.argv[1:2] == ["--stages"]:
        with ends_together():
            stages(int(sys.argv[2]))
    else:
        parser = argparse.ArgumentParser(description=__doc__)
        parser.add_argument("parts", nargs="+", choices=[part.__name__ for part in PARTS])
        for chosen in parser.parse_args().parts:
            print(f"--- {chosen}", flush=True)
            globals()[chosen]()
