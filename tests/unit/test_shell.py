"""Every shell script parses, and shellcheck has nothing to say where it is installed."""

import os
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


@pytest.mark.parametrize("script", ["flow", "tune", "scaling", "paper"])
@pytest.mark.parametrize(
    "homes, env, called",
    [
        (["on-path", ".venv"], {}, ".venv"),
        (["on-path"], {}, "on-path"),
        (["on-path", ".venv", "named"], {"MPIFLOW_VENV": "named"}, "named"),
        (["on-path"], {"MPIFLOW_VENV": "named"}, None),
    ],
    ids=["the folder's own", "that of the PATH", "the one that is named", "one that is named and not there"],
)
def test_a_batch_script_finds_its_mpiflow(script, homes, env, called, tmp_path):
    for home in homes:
        program = tmp_path / home / "bin" / "mpiflow"
        program.parent.mkdir(parents=True)
        program.write_text(f"#!/bin/sh\necho {home} $*\n")
        program.chmod(0o755)
    env = {"PATH": f"{tmp_path}/on-path/bin:{os.defpath}", "SLURM_SUBMIT_DIR": str(tmp_path)} | env
    env |= {"MPIFLOW_LAUNCHER": "env", **({"SLURM_ARRAY_TASK_ID": "0"} if script == "scaling" else {})}
    command = ["bash", ROOT / "slurm" / f"{script}.sbatch", "words"]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert (done.returncode == 0) == bool(called)
    assert called is None or done.stdout.startswith(f"{called} ") and " words" in done.stdout
