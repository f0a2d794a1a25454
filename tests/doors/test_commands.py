"""A command is one file: dropped into the room it runs, and stands in the help at its place."""

import subprocess
import sys

TEXT = """
from mpiflow.commands.words import Quiet


def wave(quiet: Quiet = False) -> None:
    \"\"\"Wave.\"\"\"
    from mpiflow.screen import answer

    answer("hello")


COMMANDS = {71: wave}
"""
CALL = "from mpiflow import commands; commands.__path__.append('.'); from mpiflow.cli import app; app()"


def test_a_dropped_command_runs_and_is_in_the_help(tmp_path):
    (tmp_path / "waving.py").write_text(TEXT)

    def called(word):
        return subprocess.run(
            [sys.executable, "-c", CALL, word], cwd=tmp_path, capture_output=True, text=True, check=True
        )

    assert called("wave").stdout == "hello\n"
    places = [called("--help").stdout.index(f" {name} ") for name in ("run", "evaluate", "wave", "info")]
    assert places == sorted(places)
