"""Every shell script parses, and shellcheck has nothing to say where it is installed."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = [*ROOT.glob("scripts/*"), *ROOT.glob("slurm/*"), *ROOT.glob("slurm/dev/*"), ROOT / ".ci" / "run"]
SCRIPTS = [path for path in FILES if path.is_file() and path.read_bytes().startswith(b"#!/usr/bin/env bash")]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_script_is_sound_shell(script):
    assert subprocess.run(["bash", "-n", script], capture_output=True, check=False).stderr == b""
    if shutil.which("shellcheck"):
        done = subprocess.run(["shellcheck", script], capture_output=True, text=True, check=False)
        assert done.stdout == ""


@pytest.mark.parametrize("script", sorted(ROOT.glob("slurm/*.sbatch")), ids=lambda path: path.name)
def test_a_batch_script_explains_and_requeues_itself(script):
    text = script.read_text()
    for word in ("#SBATCH --requeue", "#SBATCH --open-mode=append", f"slurm/{script.name} "):
        assert word in text
    # A figure of the paper is made whole or anew: it has nothing to save in time.
    assert "#SBATCH --signal=USR1@" in text or script.name == "paper.sbatch"
