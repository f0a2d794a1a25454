"""What of a damaged state is still sound, dataset by dataset; looked at by a process of its own.

HDF5 may crash or run for ever on damaged metadata, so it never sees a damaged file in the process that asks.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import h5py

from mpiflow.state import image

_PATIENCE = 120.0


def diagnose(path: Path) -> str:
    """One line that names the datasets of a damaged file whose values are lost; it takes a moment."""
    command = [sys.executable, "-m", "mpiflow.state.diagnosis", str(path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "HDF5 cannot read it"
    return done.stdout.strip() if done.returncode == 0 else "HDF5 cannot read it"


def main(path: str) -> None:
    """Print the verdict on one file."""
    lost, sound = [], 0
    with h5py.File(path, "r", locking=False) as file:
        names: list[str] = []
        file.visit(names.append)
        for name in names:
            if _has_values(file, name):
                intact = _is_sound(file, name)
                sound += intact
                lost += [] if intact else [name]
    print(f"{', '.join(lost) or 'only metadata'} damaged, {sound} datasets sound")


def _has_values(file: h5py.File, name: str) -> bool:
    try:
        return isinstance(file[name], h5py.Dataset) and not file[name].is_scale
    except Exception:  # whatever HDF5 says of damaged metadata
        return True


def _is_sound(file: h5py.File, name: str) -> bool:
    try:
        return image.digest(file[name][()]) == file[name].attrs["sha256"]
    except Exception:  # whatever HDF5 says of damaged metadata
        return False


if __name__ == "__main__":
    main(sys.argv[1])
