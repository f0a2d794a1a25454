"""One run file with several seeds, as a job array through submitit.

    .venv/bin/python jobs/seeds.py jobs/quickstart.toml 1 2 3 4 --tasks 2 --executor local

The loop below is the whole recipe for any study of one's own: an order is a run file, a folder and changed keys.
"""

import argparse
from pathlib import Path

from mpiflow.batch.order import Order
from mpiflow.batch.submit import Resources, submit, watch


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("seeds", type=int, nargs="+")
    parser.add_argument("--output", type=Path, default=Path("runs/seeds"), help="folder of the run folders")
    parser.add_argument("--executor", default="slurm")
    parser.add_argument("--nodes", type=int, default=1)
    parser.add_argument("--tasks", type=int, default=1, help="ranks on each node")
    parser.add_argument("--minutes", type=int, default=60)
    words = parser.parse_args()
    orders = [Order(words.config, words.output / f"seed-{seed}", (f"run.seed={seed}",)) for seed in words.seeds]
    jobs = submit(orders, Resources(words.executor, words.nodes, words.tasks, minutes=words.minutes))
    for job, order in zip(jobs, orders, strict=True):
        print(f"job {job.job_id}: {order.output}, log {job.paths.stdout}")
    raise SystemExit(watch(jobs, [order.output for order in orders], print))


if __name__ == "__main__":
    main()
