"""A figure is one file: dropped into the room it is listed, drawn, shown again and on the page; beside a user's work, too."""

import json

import pytest
from facts import telling
from figures import SPREAD, written
from typer.testing import CliRunner

from jobs import mpiflow
from mpiflow import paper
from mpiflow.cli import app
from mpiflow.comm import Comm
from mpiflow.errors import InputError
from mpiflow.paper import everything, page, record
from mpiflow.paper.registry import figure, titles

TITLE = "how far apart points of the quintic lie"


@pytest.fixture
def dropped(tmp_path, monkeypatch):
    """The room with one more file in it."""
    written(tmp_path, "spread-of-points")
    monkeypatch.setattr(paper, "__path__", [*paper.__path__, str(tmp_path)])
    return "spread-of-points"


def test_a_dropped_figure_is_listed_drawn_and_on_the_page(dropped, tmp_path, monkeypatch):
    assert titles()[dropped] == TITLE and len(titles()) > 9
    with telling(InputError, "none", dropped):
        figure(Comm(), "none")
    monkeypatch.setattr(everything.registry, "titles", lambda: {dropped: TITLE})
    said = []
    assert not everything.make(Comm(), tmp_path / "out", "laptop", 2, said.append)
    assert f"{dropped}, seed 1: {TITLE}" in said and any("mean distance of 200" in line for line in said)
    (part,) = page.write(tmp_path / "out")[1]
    assert (part.name, part.title, part.seeds) == (dropped, TITLE, [1, 2])
    assert [verdict.text for verdict in part.verdicts] == ["agrees"] and part.picture


def test_the_command_knows_a_dropped_figure(dropped, tmp_path):
    words = ["paper", dropped, "--size", "50", "-o", str(tmp_path / "out")]
    first, again = CliRunner().invoke(app, words), CliRunner().invoke(app, words)
    assert first.exit_code == again.exit_code == 0, first.exception
    assert (tmp_path / "out" / f"{dropped}.png").stat().st_size > 5000
    assert "is there already" in again.output and "mean distance of 50 points" in again.output


def test_the_help_lists_every_figure():
    shown = mpiflow("paper", "--help").stdout
    assert all(f"{name}: " in shown for name in titles())


def test_a_users_figure_is_drawn_on_any_ranks_shown_again_and_on_the_page(tmp_path):
    path, out = written(tmp_path, "mine"), tmp_path / "out"
    words = ("paper", path, "--size", 60, "-o", out)
    first = mpiflow(*words, ranks=2)
    assert first.returncode == 0, first.stdout + first.stderr
    assert (out / "mine.png").stat().st_size > 5000
    rows = json.loads((out / "mine.json").read_text())["rows"]
    again = mpiflow(*words)
    assert again.returncode == 0 and "is there already" in again.stdout
    assert mpiflow(*words, "--force").returncode == 0
    assert json.loads((out / "mine.json").read_text())["rows"] == rows
    marker = tmp_path / "executed"
    path.write_text(path.read_text() + f"\nopen({str(marker)!r}, 'w')\n")
    shown = mpiflow("paper", "report", "-o", out)
    assert shown.returncode == 0 and "mine: points lie about this far apart" in shown.stdout
    assert TITLE in (out / "report.html").read_text() and not marker.exists()
    # Numbers of another text are not those of this one.
    stale = mpiflow(*words)
    assert stale.returncode == 2 and "--force" in stale.stderr and marker.exists()


BROKEN = {
    "syntax": (SPREAD + "\nif", "SyntaxError", "(line 47)"),
    "raises": ("1 / 0", "ZeroDivisionError", "(line 1)"),
    "leaves": ("raise SystemExit(0)", "SystemExit: 0"),
    "nothing": ("", "TITLE"),
    "title of two lines": (SPREAD.replace("quintic lie", "quintic\\nlie"), "TITLE"),
    "no sizes": (SPREAD.replace('{"laptop": 200, "node": 500}', "{}"), "SIZES"),
    "size of no number": (SPREAD.replace('"laptop": 200', '"laptop": "200"'), "SIZES"),
    "least of no number": (SPREAD.replace("LEAST = 20", "LEAST = -20"), "LEAST = -20"),
    "no run": (SPREAD.replace("def run", "def ran"), "run(comm, out, size, say, seed)"),
    "no claims": (SPREAD.replace("def claims", "def claimed"), "claims(rows)"),
    "no size laptop": (SPREAD.replace('"laptop"', '"lap"'), "--size laptop", "lap, node"),
    "no text": ("\0", "SyntaxError"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_one_line(case, tmp_path):
    text, *facts = BROKEN[case]
    (tmp_path / "mine.py").write_text(text)
    with telling(InputError, *facts):
        figure(Comm(), str(tmp_path / "mine.py")).points("laptop")


@pytest.mark.parametrize(
    "name", ["absent.py", "delta.py", "report.py", "clustering_error.py", ".py", "a b.py", "folder.py"]
)
def test_a_file_of_no_figures_name_is_one_line(name, tmp_path):
    (tmp_path / "folder.py").mkdir()
    if name not in ("absent.py", "folder.py"):
        written(tmp_path, name.removesuffix(".py")) if name != ".py" else (tmp_path / name).write_text(SPREAD)
    refused = mpiflow("paper", tmp_path / name, "-o", tmp_path / "out")
    assert refused.returncode == 2 and len(refused.stderr.strip().splitlines()) == 1, refused.stderr
    assert not (tmp_path / "out").exists()


WRONG = {
    "a row alone": ("return rows", "return rows[0]", "run"),
    "a dict": ("return rows", "return [{}]", "run"),
    "a tuple for a claim": ("return [Claim(", "return [(", "claims"),
    "an array for a number": ("rows[0].mean, 1.0", "np.ones(2), 1.0", "claims"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_row_or_claim_is_one_line(case, tmp_path):
    path = written(tmp_path, "mine")
    old, new, function = WRONG[case]
    path.write_text(path.read_text().replace(old, new))
    wanted = figure(Comm(), str(path))
    with telling(InputError, "mine", function):
        record.made(Comm(), wanted, tmp_path / "out", 30, 1, lambda line: None)
    assert not (tmp_path / "out" / "mine.json").exists()
