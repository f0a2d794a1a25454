"""Which launcher started this process, which MPI library answers, and the cure where the two do not match."""

from __future__ import annotations

import os
import re
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple


class Launcher(NamedTuple):
    """What a launcher says of the ranks it started. family: of the MPI libraries that understand it; "" for any."""

    size: int
    name: str
    family: str


# What each launcher says of the number of ranks it started, most trustworthy first. Under MPICH's
# mpiexec inside a Slurm job both speak, and Slurm then counts hydra's proxies, not the ranks.
_LAUNCHERS = (
    ("PMI_SIZE", "MPICH's mpiexec or srun --mpi=pmi2", "MPICH"),
    ("OMPI_COMM_WORLD_SIZE", "Open MPI's mpiexec", "Open MPI"),
    ("SLURM_STEP_NUM_TASKS", "srun", ""),
)
#: How each family names its library, and its launcher where a system has several.
_LIBRARY = {"MPICH": "libmpi.so.12", "Open MPI": "libmpi.so.40"}
_SUFFIX = {"MPICH": "mpich", "Open MPI": "openmpi"}
_SRUN = {"MPICH": "srun --mpi=pmi2", "Open MPI": "srun --mpi=pmix"}


def launched() -> Launcher:
    """The launcher that started this process; of size 1 and without a name where there is none."""
    for variable, name, family in _LAUNCHERS:
        if os.environ.get(variable, "").isdecimal():
            return Launcher(int(os.environ[variable]), f"{name} ({variable})", family)
    return Launcher(1, "", "")


def library() -> str:
    """Path of the MPI library that this process has loaded; "" where that is not known."""
    with suppress(OSError):
        found = re.findall(
            r"\S*/libmpi(?:ch)?[-\w]*\.so[.\d]*$", Path("/proc/self/maps").read_text("utf-8", "replace"), re.MULTILINE
        )
        return found[0] if found else ""
    return ""


def version(says: str) -> str:
    """The words that name an MPI library, out of all that it says of itself (`MPI_Get_library_version`)."""
    first = says.partition("\0")[0].strip().partition("\n")[0]
    return " ".join(first.partition(",")[0].split())


def absent(error: Exception) -> str:
    """What to install where mpi4py found no MPI library; its own words are a line for each place that it looked in."""
    asked = os.environ.get("MPI4PY_LIBMPI", "")
    why = f"{str(error).partition(chr(10))[0]}{asked and f', MPI4PY_LIBMPI = {asked}'}"
    return (
        f"no MPI library loads ({why}); pip install 'mpiflow[mpi]' brings one, MPI4PY_LIBMPI=PATH names the site's own"
    )


def mismatch(vendor: str, says: str, seen: int) -> str:
    """What is wrong, and the cure, where a library of this vendor sees so many ranks; "" where that is right."""
    launcher = launched()
    return "" if launcher.size == seen else _told(launcher, vendor, says, f"sees {seen}")


def foreign(vendor: str, says: str) -> str:
    """As `mismatch`, before MPI is started: MPICH's library kills a process that Open MPI's mpiexec started."""
    launcher = launched()
    wrong = (vendor, launcher.family) == ("MPICH", "Open MPI")
    return _told(launcher, vendor, says, "knows nothing of them") if wrong else ""


def _told(launcher: Launcher, vendor: str, says: str, sees: str) -> str:
    where = library()
    return (
        f"{launcher.name} started {launcher.size} ranks but MPI {sees}: the library that is loaded is {vendor}'s "
        f"({version(says)}, {where or 'its path is not known'}), and every rank would run alone; "
        f"{', or '.join(_cures(launcher, vendor, where))}"
    )


def _cures(launcher: Launcher, vendor: str, where: str) -> list[str]:
    """What would make launcher and library match, the most likely first; never the launcher that was just used."""
    cures = []
    if launcher.family and launcher.family != vendor:
        cures += _out_of_the_way(where) + _library_of(launcher.family)
    mpiexec = _mpiexec_of(vendor, where, launcher)
    cures += [f"start with {mpiexec}"] if mpiexec else []
    if not launcher.family or "SLURM_JOB_ID" in os.environ:
        cures.append(f"under Slurm start with {_SRUN.get(vendor, 'the --mpi of srun that it takes')}")
    brought = f"pip install {_SUFFIX.get(launcher.family, 'mpich')}"
    return cures or [f"start with the mpiexec of {vendor}, or install the library of {launcher.name} ({brought})"]


def _out_of_the_way(where: str) -> list[str]:
    """What to undo so that this library is not the first that is found."""
    if asked := os.environ.get("MPI4PY_LIBMPI"):
        return [f"unset MPI4PY_LIBMPI (it is {asked})"]
    folder = os.path.dirname(where)
    if folder and folder in os.environ.get("LD_LIBRARY_PATH", "").split(":"):
        return [f"take {folder} out of LD_LIBRARY_PATH"]
    return []


def _library_of(family: str) -> list[str]:
    """The library of a family that this environment has."""
    path = Path(sys.prefix) / "lib" / _LIBRARY[family]
    return [f"set MPI4PY_LIBMPI={path}"] if path.exists() and not os.environ.get("MPI4PY_LIBMPI") else []


def _mpiexec_of(vendor: str, where: str, launcher: Launcher) -> str:
    """The launcher that belongs to a library: in the bin beside its lib, or by the name that Debian gives it."""
    beside = Path(where).parent.parent / "bin" / "mpiexec"
    if where and os.access(beside, os.X_OK) and not (_just_used(beside) and launcher.family not in ("", vendor)):
        return str(beside)
    return shutil.which(f"mpiexec.{_SUFFIX[vendor]}") or "" if vendor in _SUFFIX else ""


def _just_used(mpiexec: Path) -> bool:
    """Whether this process was started from the folder of an mpiexec (by it, or by a helper beside it)."""
    with suppress(OSError):
        return Path(f"/proc/{os.getppid()}/exe").resolve().parent == mpiexec.resolve().parent
    return False
