#!/usr/bin/env python3
"""One line for each run: step, points, gains on train and unseen points, positivity.

    scripts/summary-table.py runs/*

Reads the newest state of each run folder with h5py alone; needs h5py and numpy, and no mpiflow.
"""

import argparse
from pathlib import Path

import h5py
import numpy as np


def gains(history):
    """sigma(g_FS) / sigma(g), train and unseen: the first record is the Fubini-Study metric."""
    train, test = history["sigma_train"][()], history["sigma_test"][()]
    return train[0] / train[-1], test[0] / test[-1]


def line(folder):
    states = sorted(Path(folder).glob("state-*.h5"))
    if not states:
        return f"{Path(folder).name:24s} no state"
    with h5py.File(states[-1]) as state:
        train, test = gains(state["history"])
        g = state["metric/current"][()]
        positive = (np.linalg.eigvalsh(g)[:, 0] > 0).mean()
        sizes = f"{len(state['split/train'])}+{len(state['split/test'])}"
        step, rejected = state["history/step"][-1], state["history/step_rejected"][()].sum()
    return f"{Path(folder).name:24s} {step:6d} {sizes:>15s} {train:12.4g} {test:12.4g} {100 * positive:8.2f}% {rejected:8d}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", help="run folders")
    folders = [folder for folder in parser.parse_args().runs if Path(folder).is_dir()]
    print(
        f"{'run':24s} {'step':>6s} {'points':>15s} {'gain train':>12s} {'gain unseen':>12s} {'positive':>9s} {'halvings':>8s}"
    )
    for folder in folders:
        print(line(folder))


if __name__ == "__main__":
    main()
