#!/usr/bin/env python3
"""Draw the loss curves of one or more runs.

    scripts/loss-curves.py runs/quickstart runs/relu -o curves.png

Reads the newest state of each run folder with h5py alone; needs h5py, numpy and matplotlib, and no mpiflow.
"""

import argparse
from pathlib import Path

import h5py
import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402


def newest(folder):
    states = sorted(Path(folder).glob("state-*.h5"))
    if not states:
        raise SystemExit(f"{folder}: no state-*.h5 in it; give the folder of a run")
    return states[-1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", help="run folders")
    parser.add_argument("-o", "--output", default="loss-curves.png", help="picture to write (png, pdf or svg)")
    words = parser.parse_args()
    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    for number, folder in enumerate(words.runs):
        with h5py.File(newest(folder)) as state:
            history, colour = state["history"], f"C{number % 10}"
            label = f"{state.attrs['name']} ({Path(folder).name})"
            axes.semilogy(history["step"][()], history["sigma_train"][()], color=colour, ls="--", lw=1)
            axes.semilogy(history["test_step"][()], history["sigma_test"][()], color=colour, label=label)
    axes.set(xlabel="step", ylabel="sigma measure (dimensionless)", title="unseen points solid, train points dashed")
    axes.grid(alpha=0.3, which="both", lw=0.5)
    axes.legend(frameon=False)
    figure.savefig(words.output, dpi=150)
    print(words.output)


if __name__ == "__main__":
    main()
