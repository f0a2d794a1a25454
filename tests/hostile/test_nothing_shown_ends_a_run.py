"""Nothing that only shows something ends a run: text of users, streams that are gone, pictures that cannot be drawn."""

from __future__ import annotations

import errno
import json
import os
import pty
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from table import JOB, Row, checked, finished, place, text

from jobs import BIN, small
from mpiflow.screen import inert
from mpiflow.state.load import latest

NAME = r'run.name="a [red]b[/red] [/x] [link=http://x]:boom: \u001b[31m \u202e \u0007"'


def tables_are_shown(folder: Path, done) -> None:
    """`info` prints every table header of the run file that it shows."""
    for head in ("[run]", "[points]", "[clusters]", "[kernel]", "[flow]", "[engine]", "[output]"):
        assert head in done.stdout


def drawn_later(folder: Path, done) -> None:
    """Without its picture a run is done, and the next start draws it."""
    from inside import mpiflow

    assert latest(folder / "run", pytest.fail).step == 13
    (folder / "run" / "report" / "loss.png").rmdir()
    again = mpiflow("run small.toml -o run --set flow.steps=13", folder)
    assert again.returncode == 0 and (folder / "run" / "report" / "loss.png").read_bytes().startswith(b"\x89PNG")


def is_json(folder: Path, done) -> None:
    """Standard output is one JSON document by the letter, which knows no NaN."""

    def refuse(word: str):
        raise ValueError(word)

    json.loads(done.stdout, parse_constant=refuse)


def undecodable(folder: Path) -> None:
    """A folder whose name is bytes, and no text."""
    finished()(folder)
    os.rename(os.fsencode(folder / "run"), os.fsencode(folder) + b"/r\xff\xe9")


BYTES = "r\udcff\udce9"
RUN = "run small.toml -o run"

ROWS = [
    Row(
        "a name with markup",
        ["run", "small.toml", "-o", "run", "--set", NAME],
        0,
        (r"\x1b[31m \u202e \x07", "[/x]", ":boom:"),
        ours=("run",),
    ),
    Row("a folder with markup", ["run", "small.toml", "-o", "r[bold]/[/x]", "--quiet"], 0, (), ours=("r[bold]",)),
    Row("info of a folder with markup", ["info", "[/x]"], 0, ("[/x]",), (finished("[/x]"),), after=tables_are_shown),
    Row("verify of a folder with markup", ["verify", "[/x]"], 0, ("[/x]",), (finished("[/x]"),)),
    Row("evaluate of a folder with markup", ["evaluate", "[/x]", "--points", "50"], 0, ("[/x]",), (finished("[/x]"),)),
    Row("info in JSON", "info run --json", 0, (), (finished(),), after=is_json),
    Row("verify in JSON", "verify run --json", 0, (), (finished(),), after=is_json),
    Row("evaluate in JSON", "evaluate run --points 50 --json", 0, (), (finished(),), after=is_json),
    Row("plan in JSON", "plan small.toml --json", 0, (), after=is_json),
    Row(
        "a folder that is no UTF-8",
        ["run", "small.toml", "-o", BYTES, "--fresh"],
        0,
        (r"r\udcff\udce9",),
        (undecodable,),
        ours=("r",),
    ),
    Row("info of it", ["info", BYTES], 0, (r"r\udcff\udce9",), (undecodable,)),
    Row("info of it in JSON", ["info", BYTES, "--json"], 0, (), (undecodable,), after=is_json),
    Row("evaluate of it", ["evaluate", BYTES, "--points", "50"], 0, (r"r\udcff\udce9",), (undecodable,)),
    Row("verify of it", ["verify", BYTES], 0, (r"r\udcff\udce9",), (undecodable,)),
    Row("points in it", ["points", "small.toml", "-o", f"{BYTES}/d.npz"], 0, (r"\udcff",), (undecodable,), ours=("r",)),
    Row("scaling report of it", ["scaling", "report", BYTES], 0, (r"\udcff",), (undecodable,), ours=("r",)),
    Row(
        "a name that is no UTF-8",
        ["run", "small.toml", "-o", "run", "--set", "run.name=\udcff"],
        2,
        ("run.name", r"\udcff"),
    ),
    Row(
        "a points file that is no UTF-8",
        ["run", "small.toml", "-o", "run", "--set", "points.file=\udcff.npz"],
        2,
        (r"\udcff",),
    ),
    Row("a run file with a line break in its name", ["run", "a\nb.toml"], 2, (r"a\nb.toml",)),
    Row("a key with an escape", ["run", "small.toml", "--set", "a\x1b[31m.b=1"], 2, (r"a\x1b[31m",)),
    Row("a value with markup", ["run", "small.toml", "--set", "flow.loss=[/red]"], 2, ("[/red]",)),
    Row("a figure with markup", ["paper", "[/red]"], 2, ("[/red]",)),
    Row("a command with markup", ["[/red]"], 2, ("[/red]",)),
    Row("a size with markup", ["paper", "distance", "--size", "[/b]"], 2, ("[/b]",)),
    Row(
        "LaTeX that is not there",
        RUN,
        0,
        ("picture  run/report/loss.png",),
        (text("matplotlibrc", "text.usetex: True\n"),),
        ("run",),
        {"PATH": "/nowhere"},
    ),
    Row("a font that is not there", RUN, 0, (), (text("matplotlibrc", "font.family: [Nowhere]\n"),), ("run",)),
    Row("a back end that is not there", RUN, 0, ("loss.png",), (), ("run",), {"MPLBACKEND": "nonsense"}),
    Row(
        "a folder in place of the picture",
        "run small.toml -o run --set flow.steps=13",
        0,
        ("result is complete",),
        (finished(), lambda folder: (folder / "run/report/loss.png").unlink(), place("run/report/loss.png")),
        ("run",),
        after=drawn_later,
    ),
    Row("no columns at all", RUN, 0, (), (), ("run",), {"COLUMNS": "0", "LINES": "0"}),
    Row("columns that are no number", RUN, 0, (), (), ("run",), {"COLUMNS": "many", "TERM": "nonsense"}),
    Row("colours by force", RUN, 0, (), (), ("run",), {"NO_COLOR": "1", "TERM": "dumb"}),
    Row(
        "an end of the job that is no number",
        RUN,
        0,
        (),
        (),
        ("run",),
        {"SLURM_JOB_END_TIME": "²", "SLURM_JOB_ID": "7"},
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_row(row, tmp_path):
    checked(row, tmp_path)


def shell(line: str, folder: Path, **env: str) -> subprocess.CompletedProcess:
    """A line of a shell, with `mpiflow` and `mpiexec` of this environment first on the PATH."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PMI_", "SLURM_", "HYDRA"))}
    clean |= {"PATH": f"{BIN}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"} | env
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=folder,
        env=clean,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


#: What is typed, the exit code, and whether the run must be whole at the end.
STREAMS = [
    ("mpiflow run small.toml -o run > /dev/full", {}, 0),
    ("mpiflow run small.toml -o run >&- 2>&- <&-", {}, 0),
    ("mpiflow run small.toml -o run | head -c 1 >/dev/null", {}, 0),
    (
        "printf 'font.size: \\xff\\n' > matplotlibrc; mpiflow run small.toml -o 'ré😀'",
        {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"},
        0,
    ),
]


@pytest.mark.parametrize("line, env, code", STREAMS, ids=[line for line, _, _ in STREAMS])
def test_a_stream_that_is_gone_ends_no_run(line, env, code, tmp_path):
    (tmp_path / "small.toml").write_text(JOB)
    done = shell(line, tmp_path, **env)
    assert done.returncode == code and "Traceback" not in done.stderr, done
    run = next(path for path in tmp_path.iterdir() if path.is_dir())
    assert latest(run, pytest.fail).step == 12 and json.loads((run / "status.json").read_text())["state"] == "done"
    if "> /dev/full" in line:
        assert os.strerror(errno.ENOSPC) in (run / "log" / "rank-0000.log").read_text()


@pytest.mark.parametrize(
    "command",
    ["--help", "-V", "info run --json", "evaluate run --points 50"],
)
def test_an_answer_that_nobody_gets_is_an_error(command, tmp_path):
    (tmp_path / "small.toml").write_text(JOB)
    finished()(tmp_path)
    done = shell(f"mpiflow {command} > /dev/full", tmp_path)
    assert done.returncode == 4 and len(done.stderr.splitlines()) <= 1, done


def test_a_run_on_a_terminal_has_a_bar_and_ends_well(tmp_path):
    """Open MPI's mpiexec, too, gives its ranks a terminal."""
    mine, theirs = pty.openpty()
    command = [BIN / "mpiflow", "run", small(tmp_path), "-o", tmp_path / "run", "--set", "flow.steps=2"]
    env = {name: value for name, value in os.environ.items() if name != "SLURM_JOB_ID"} | {"TERM": "xterm"}
    run = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=env)
    os.close(theirs)
    shown = b""
    with suppress(OSError):  # a terminal that nobody writes to any more
        while piece := os.read(mine, 1 << 16):
            shown += piece
    os.close(mine)
    assert run.wait() == 0, shown.decode()
    assert b"0/2" in shown and b"small: after step 2" in shown


def test_inert_text_is_printable():
    every = "".join(map(chr, [*range(0x250), 0x202E, 0x2066, 0xFEFF, 0xDCFF, 0xE000, 0x1F600]))
    assert inert(every).isprintable() and inert("a [b] é 😀") == "a [b] é 😀"
    assert inert("\x1b\n\udcff\u202e") == r"\x1b\n\udcff\u202e"
