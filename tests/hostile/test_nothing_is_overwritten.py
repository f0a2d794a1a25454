"""Nothing of a user's is overwritten: every output path, every planted link, every empty name; one row each."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from table import Row, checked, dataset, finished, link, place, text, without

from mpiflow.state.load import latest

MORE = "run small.toml -o run --set flow.steps=13 --quiet"


def whole(folder: Path, done) -> None:
    """The run in `run` went on to step 13."""
    assert latest(folder / "run", pytest.fail).step == 13


def is_link(*names: str):
    """Links of these names still are."""
    return lambda folder, done: all(map(os.path.islink, [folder / name for name in names])) or pytest.fail("no link")


def aside_beside_the_target(folder: Path, done) -> None:
    """--fresh through a link: the link stays, and the old run lies beside what it means."""
    assert (folder / "run").is_symlink() and (folder / "disk" / "there.old-1" / "state-00000012.h5").exists()
    assert latest(folder / "disk" / "there", pytest.fail).step == 12


def notes_stay(folder: Path, done) -> None:
    """--fresh in a folder with files of the user's: they stay where they are."""
    assert (folder / "run" / "notes.txt").read_text() == "of the user's\n"
    assert (folder / "run.old-1" / "state-00000012.h5").exists() and (folder / "run" / "state-00000012.h5").exists()


def edited_is_kept(folder: Path, done) -> None:
    """A run.toml that its user changed lies beside the new one."""
    assert (folder / "run" / "run.toml.old-1").read_text() == "# of the user's\n"


def page_without(folder: Path, done) -> None:
    """The page has no picture that lies elsewhere."""
    assert "<img" not in (folder / "p" / "report.html").read_text()


RECORD = """{"name": "distance", "size": 100, "seed": 1, "ranks": 1, "seconds": 1.0, "version": "0", "lines": ["x"],
"claims": [], "rows": []}"""
PNG = "\x89PNG secret"

ROWS = [
    Row(
        "points onto the file that they are read from",
        "points small.toml --set points.file=same.npz -o same.npz",
        2,
        ("same.npz", "-o"),
        (dataset("same.npz"),),
    ),
    Row(
        "the same with --force",
        "points small.toml --set points.file=same.npz -o same.npz --force",
        2,
        ("same.npz", "-o"),
        (dataset("same.npz"),),
    ),
    Row(
        "the same through a link",
        "points small.toml --set points.file=other.npz -o same.npz --force",
        2,
        ("same.npz", "-o"),
        (dataset("same.npz"), link("other.npz", "same.npz")),
    ),
    Row(
        "the same by a hard link",
        "points small.toml --set points.file=other.npz -o same.npz --force",
        2,
        ("same.npz", "-o"),
        (dataset("same.npz"), lambda folder: os.link(folder / "same.npz", folder / "other.npz")),
    ),
    Row("points onto their run file", "points small.toml -o small.toml --force", 2, ("small.toml", "-o")),
    Row("points onto another file", "points small.toml -o d.npz", 2, ("--force",), (text("d.npz"),)),
    Row("points onto it with --force", "points small.toml -o d.npz --force", 0, (), (text("d.npz"),), ours=("d.npz",)),
    Row("points onto a folder", "points small.toml -o there --force", 2, ("there", "-o"), (place("there"),)),
    Row("points onto a device", "points small.toml -o /dev/null --force", 2, ("/dev/null", "-o")),
    Row("points into no folder", "points small.toml -o absent/d.npz", 2, ("absent/d.npz", "-o")),
    Row("points onto a link", "points small.toml -o d.npz", 2, ("--force",), (text("v"), link("d.npz", "v"))),
    Row(
        "points onto a link with --force",
        "points small.toml -o d.npz --force",
        0,
        (),
        (text("v"), link("d.npz", "v")),
        ours=("d.npz",),
    ),
    Row(
        "a link with the name of an old temporary",
        "points small.toml -o d.npz",
        0,
        (),
        (text("v"), link(".d.npz.tmp", "v")),
        ours=("d.npz",),
    ),
    Row("points into an empty name", 'points small.toml -o ""', 2, ("''",)),
    Row("a run into an empty name", 'run small.toml -o ""', 2, ("''",)),
    Row("a run into blanks", 'run small.toml -o "  "', 2, ("'  '",)),
    Row("an empty run file", 'run ""', 2, ("''",)),
    Row("evaluate of an empty name", 'evaluate ""', 2, ("''",)),
    Row("info of an empty name", 'info ""', 2, ("''",)),
    Row("verify of an empty name", 'verify ""', 2, ("''",)),
    Row("a study in an empty name", 'tune small.toml -o ""', 2, ("''",)),
    Row("a scaling study in an empty name", 'scaling small.toml -o ""', 2, ("''",)),
    Row("scaling report of an empty name", 'scaling report ""', 2, ("''",)),
    Row("scaling of an empty run file", 'scaling ""', 2, ("''",)),
    Row("figures in an empty name", 'paper distance -o ""', 2, ("''",)),
    Row("a plan of an empty name", 'plan ""', 2, ("''",)),
    Row("a job in an empty name", 'submit small.toml --executor debug -o ""', 2, ("''",)),
    Row("a name too long", f"run small.toml -o {'x' * 300}", 2, ("x" * 300, "-o")),
    Row("a path too long", f"points small.toml -o {'x/' * 3000}d.npz", 2, ("x/" * 20,)),
    Row("a run onto a file", "run small.toml -o v", 2, ("v",), (text("v"),)),
    Row("a run under a file", "run small.toml -o v/run", 2, ("v/run",), (text("v"),)),
    Row("a run into a loop of links", "run small.toml -o a", 2, ("a",), (link("a", "b"), link("b", "a"))),
    Row(
        "a run through a link to nothing",
        "run small.toml -o a --quiet",
        0,
        (),
        (link("a", "b"),),
        ours=("b",),
        after=is_link("a"),
    ),
    Row(
        "a run here, where a run.toml is",
        "run small.toml -o .",
        2,
        ("run.toml", "--force"),
        (text("run.toml", "# of the user's\n"),),
    ),
    Row(
        "a run here",
        "run ../small.toml -o . --quiet",
        0,
        (),
        (),
        ours=("state", "run.toml", "status.json", "log", "report", "run.lock", "small.toml"),
    ),
    Row(
        "a run where a status.json is",
        "run small.toml -o run",
        2,
        ("run/status.json", "--force"),
        (text("run/status.json"),),
    ),
    Row("a run where a report is", "run small.toml -o run", 2, ("run/report", "-o"), (text("run/report/a.txt"),)),
    Row("a run where a log is", "run small.toml -o run", 2, ("run/log", "-o"), (text("run/log/a.txt"),)),
    Row("a run where a file called log is", "run small.toml -o run", 2, ("log",), (text("run/log"),)),
    Row(
        "a run where a folder run.toml is", "run small.toml -o run", 2, ("run/run.toml", "-o"), (place("run/run.toml"),)
    ),
    Row(
        "a run in the folder of its run file",
        "run run/run.toml -o run --quiet",
        0,
        (),
        (lambda folder: text("run/run.toml", (folder / "small.toml").read_text())(folder),),
        ours=("run/state", "run/status.json", "run/log", "run/report", "run/run.lock"),
    ),
    Row(
        "--fresh of it",
        "run run/run.toml -o run --fresh --quiet --set flow.steps=1",
        0,
        (),
        (finished(), lambda folder: text("run/run.toml", (folder / "small.toml").read_text())(folder)),
        ours=("run/state", "run/status.json", "run/log", "run/report", "run/run.lock", "run.old-1"),
    ),
    Row(
        "a run.toml that was edited",
        MORE,
        0,
        (),
        (finished(), text("run/run.toml", "# of the user's\n")),
        ours=("run",),
        after=edited_is_kept,
    ),
    Row(
        "--fresh here",
        "run small.toml -o run --fresh --quiet",
        0,
        (),
        (finished(), text("run/notes.txt")),
        ("run",),
        {},
        notes_stay,
    ),
    Row(
        "--fresh through a link",
        "run small.toml -o run --fresh --quiet",
        0,
        (),
        (finished("disk/there"), link("run", "disk/there")),
        ours=("disk",),
        after=aside_beside_the_target,
    ),
    Row("a linked run.lock", MORE, 2, ("run/run.lock",), (finished(), text("v"), link("run/run.lock", "../v"))),
    Row(
        "a linked run.lock in a new folder",
        "run small.toml -o run",
        2,
        ("run.lock",),
        (text("v"), link("run/run.lock", "../v")),
    ),
    Row("a linked run.toml", MORE, 0, (), (finished(), text("v"), link("run/run.toml", "../v")), ("run",), {}, whole),
    Row(
        "a linked status.json",
        MORE,
        0,
        (),
        (finished(), text("v"), link("run/status.json", "../v")),
        ("run",),
        {},
        whole,
    ),
    Row("a linked log", MORE, 2, ("run/log",), (finished(), place("v"), link("run/log", "../v")), ("run/run.lock",)),
    Row(
        "a linked report",
        MORE,
        2,
        ("run/report",),
        (finished(), place("v"), link("run/report", "../v")),
        ("run/run.lock",),
    ),
    Row(
        "a linked log file",
        MORE,
        0,
        (),
        (finished(), text("v"), link("run/log/rank-0000.log", "../../v")),
        ("run",),
        {},
        whole,
    ),
    Row(
        "a linked summary",
        MORE,
        0,
        (),
        (finished(), text("v"), link("run/report/summary.json", "../../v")),
        ("run",),
        {},
        whole,
    ),
    Row(
        "a linked picture",
        MORE,
        0,
        (),
        (finished(), text("v"), link("run/report/loss.png", "../../v")),
        ("run",),
        {},
        whole,
    ),
    Row(
        "a linked next state",
        MORE,
        0,
        (),
        (finished(), text("v"), link("run/state-00000013.h5", "../v")),
        ("run",),
        {},
        whole,
    ),
    Row("a worker that leaves its study", "tune small.toml -o s --worker ../../escaped", 2, ("--worker",)),
    Row("a worker with a slash", "tune small.toml -o s --worker a/b", 2, ("--worker",)),
    Row("a hidden worker", "tune small.toml -o s --worker .hidden", 2, ("--worker",)),
    Row("a nameless worker", 'tune small.toml -o s --worker ""', 2, ("--worker",)),
    Row("a study where a best.toml is", "tune small.toml -o s", 2, ("s/best.toml", "--force"), (text("s/best.toml"),)),
    Row(
        "a study where its workers' folder is a link",
        "tune small.toml -o s",
        2,
        ("s/workers",),
        (place("v"), link("s/workers", "../v")),
    ),
    Row(
        "a study whose journal is a link",
        "tune small.toml -o s",
        2,
        ("s/study.journal", "Optuna"),
        (text("v"), link("s/study.journal", "../v")),
        ("s",),
    ),
    Row("scaling report of nothing", "scaling report", 2, ("scaling report", "-o"), (finished("runs/run"),)),
    Row(
        "scaling report onto a table", "scaling report run", 2, ("scaling.csv",), (finished(), text("run/scaling.csv"))
    ),
    Row("a scaling study onto a picture", "scaling small.toml -o s", 2, ("scaling.png",), (text("s/scaling.png"),)),
    Row("scaling report of no run", "scaling report there", 2, ("there: ",), (place("there"),)),
    Row("figures onto a record", "paper distance -o p", 2, ("distance.json",), (text("p/distance.json"),)),
    Row("figures onto a picture", "paper distance -o p", 2, ("distance.png",), (text("p/distance.png"),)),
    Row("figures of another size", "paper distance -o p", 2, ("distance.json",), (text("p/distance.json", RECORD),)),
    Row("all figures onto one", "paper all -o p", 2, ("delta.png",), (text("p/seed-1/delta.png"),)),
    Row(
        "a page onto a page",
        "paper report -o p",
        2,
        ("report.html",),
        (text("p/distance.json", RECORD), text("p/report.html")),
    ),
    Row(
        "a page with a linked picture",
        "paper report -o p",
        0,
        (),
        (text("p/distance.json", RECORD), text("v", PNG), link("p/distance.png", "../v")),
        ours=("p/report.html",),
        after=page_without,
    ),
    Row(
        "a page of linked records",
        "paper report -o p",
        2,
        ("paper report p", "`mpiflow paper all -o p`"),
        (text("v", RECORD), link("p/distance.json", "../v")),
    ),
    Row("a page of nothing", "paper report -o p", 2, ("paper report p", "`mpiflow paper all -o p`"), (place("p"),)),
    Row(
        "a run whose states are gone",
        "run small.toml -o run --quiet",
        0,
        (),
        (
            finished(),
            without("run/state-00000012.h5", "run/state-00000008.h5", "run/state-00000004.h5", "run/state-00000000.h5"),
        ),
        ("run",),
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_row(row, tmp_path):
    (tmp_path / "small.toml").write_text("")
    here = tmp_path / "here"
    here.mkdir()
    if "../small.toml" in row.line:
        from jobs import SMALL

        (tmp_path / "small.toml").write_text(SMALL.format(coupling="none"))
    checked(row, here)
