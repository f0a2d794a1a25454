"""slurm/paper.sbatch against a real Slurm: a figure a task, and the page when they are done."""

import pytest
from cluster import ROOT, ended, sbatch, states, until

from mpiflow.batch.scheduler import over
from mpiflow.paper.registry import titles

pytestmark = pytest.mark.slurm
PAPER = ROOT / "slurm" / "paper.sbatch"


def test_figures_are_tasks_and_the_page_depends_on_them(tmp_path):
    (tmp_path / "figures").mkdir()
    (tmp_path / "page").mkdir()
    figures = list(titles())
    which = figures.index("distance")
    tasks = f"--array={which},{len(figures)}"
    words = ("--size", 10_000, "-o", tmp_path / "out")
    job = sbatch(tmp_path / "figures", tasks, "--ntasks-per-node=2", script=PAPER, after=words)
    dependent = (f"--dependency=afterany:{job}", "--ntasks-per-node=1")
    page = sbatch(tmp_path / "page", *dependent, script=PAPER, after=("report", "-o", tmp_path / "out"))
    assert ended(page)["JobState"] == "COMPLETED", (tmp_path / "page" / "log").read_text()
    until(lambda: all(map(over, states(job))), 10, "the end of the figures")
    log = (tmp_path / "figures" / "log").read_text()
    assert states(job) == ["COMPLETED"] * 2, log
    assert f"there are only {len(figures)} figures" in log
    assert (tmp_path / "out" / "distance.png").exists() and (tmp_path / "out" / "report.html").exists()
