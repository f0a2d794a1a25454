"""One look for all figures: axes with units, our lines in colour, the paper's in grey."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

#: How the paper's own numbers are drawn.
PAPER = {"color": "0.45", "ls": "--", "lw": 1.2}


@contextmanager
def picture(path: Path, columns: int = 1, size: tuple[float, float] = (5.2, 3.9)):
    """Axes (one, or an array of `columns`) of a figure that is written to path, whole, when the block ends."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, columns, figsize=(size[0] * columns, size[1]), layout="constrained")
    try:
        yield axes
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=160)
    finally:
        plt.close(figure)


def finished(axes, **labels) -> None:
    """Labels, a light grid and a legend."""
    axes.set(**labels)
    axes.grid(alpha=0.3, which="both", lw=0.5)
    axes.legend(frameon=False, fontsize="small")
