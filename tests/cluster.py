"""Jobs in a real Slurm, as their users submit them."""

import os
import re
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from mpiflow.batch.scheduler import over

ROOT = Path(__file__).parents[1]
FLOW = ROOT / "slurm" / "flow.sbatch"

#: Makes every step of a job's first start take a second: a slow machine, so that a small run meets its time limit.
SLOW_AT_FIRST = """
import os
if "PMI_RANK" in os.environ and os.environ.get("SLURM_RESTART_COUNT", "0") == "0":
    import time
    from mpiflow.flows.components import ComponentFlow
    step = ComponentFlow.step
    ComponentFlow.step = lambda self: (time.sleep(SECONDS), step(self))[1]
"""


def unreachable():
    """Why there is no Slurm here, "" if there is one."""
    try:
        done = subprocess.run(["scontrol", "ping"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"no Slurm: {error}; as root, slurm/dev/up starts one"
    return (
        "" if "is UP" in done.stdout else f"no Slurm answers ({done.stdout.strip()}); as root, slurm/dev/up starts one"
    )


def environment(**extra):
    """This environment with what belongs to another job taken out."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PMI_", "SLURM_", "SUBMITIT"))}
    return clean | {"MPIFLOW_HOME": str(ROOT), "OMP_NUM_THREADS": "1"} | {name: str(v) for name, v in extra.items()}


def sbatch(folder, *words, script=FLOW, after=(), **extra):
    """Submit a job that logs to folder/log; words for sbatch are those before a run file, or before `after`.

    Returns its id.
    """
    cut = next((n for n, word in enumerate(words) if str(word).endswith(".toml")), len(words))
    command = ["sbatch", "--parsable", "-o", folder / "log", *words[:cut], script, *words[cut:], *after]
    done = subprocess.run(
        [str(w) for w in command], capture_output=True, text=True, env=environment(**extra), check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().split(";")[0]


def facts(job):
    """Slurm's fields of a job by name."""
    done = subprocess.run(["scontrol", "show", "-o", "job", str(job)], capture_output=True, text=True, check=True)
    return dict(word.split("=", 1) for word in done.stdout.splitlines()[0].split() if "=" in word)


def states(job):
    """The state of a job, or of every task of an array."""
    done = subprocess.run(["scontrol", "show", "-o", "job", str(job)], capture_output=True, text=True, check=True)
    return re.findall(r"JobState=(\w+)", done.stdout)


def until(condition, seconds=60.0, what="what was expected"):
    """Wait until condition() is true; returns it."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"{what} did not come in {seconds:g} s"
        time.sleep(0.2)
    return found


def started(job, run):
    """Wait until the first state of a run is there: its ranks now listen to signals."""

    def there():
        assert facts(job)["JobState"] in ("PENDING", "RUNNING"), f"job {job} ended before its first state"
        return (run / "state-00000000.h5").exists()

    until(there, 60, f"the first state of job {job}")


def ended(job, seconds=90.0):
    """Wait for the end of a job, hurrying each requeue on its way (Slurm waits 120 s); returns its fields."""

    def hurried():
        found = facts(job)
        if found["JobState"] == "PENDING" and found["Restarts"] != "0" and found["Reason"] == "BeginTime":
            # Not "now": within the second of the requeue the job would start with a revoked credential.
            with suppress(subprocess.CalledProcessError):  # it may have started since it was asked for
                scontrol("update", f"JobId={job}", "StartTime=now+2")
            time.sleep(2)
        return over(found["JobState"]) and found

    return until(hurried, seconds, f"the end of job {job}")


def scontrol(*words):
    subprocess.run(["scontrol", *map(str, words)], check=True, capture_output=True)


def scancel(*words):
    subprocess.run(["scancel", *map(str, words)], check=True, capture_output=True)
