"""The first minutes on a machine with a GPU: scripts/gpu-check [--dry] [--again] [--rows FILE] [PART ...].

Each part is a process of its own, of at most 8 minutes; each figure is a row of RESULTS.md, written to FILE as soon as it is
known, beside the bound that was counted from the machine code (132 multiprocessors at 1.755 GHz, an H100's). A part that
fails is told and the next one begins; parts that are done are not done again without --again. --dry: what can be done
without a GPU, which is all up to the device: texts are compiled, sources and run files are made.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import traceback
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import gpu_runs  # noqa: F401  # its parts are among PARTS, after the others
import numpy as np
from gpu_parts import PARTS, ROOT

LIMIT = 480


def _shown(value) -> str:
    return f"{value:.4g}" if isinstance(value, float | np.floating) else str(value)


def _worker(name: str, rows: Path, dry: bool) -> int:
    def row(label: str, *values) -> None:
        line = f"| {label} | {'; '.join(map(_shown, values))} |"
        print(line, flush=True)
        with rows.open("a") as file:
            file.write(line + "\n")

    try:
        PARTS[name](row, dry)
    except Exception:
        traceback.print_exc()
        return 1
    return 0


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all where none is named")
    options.add_argument("--dry", action="store_true", help="up to the device")
    options.add_argument("--again", action="store_true", help="parts that are done as well")
    options.add_argument("--rows", type=Path, default=Path("gpu-check.txt"), help="where the rows go")
    options.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options.add_argument("--limit", type=float, default=LIMIT, help="seconds of a part")
    args = options.parse_args()
    unknown = set(args.parts) - set(PARTS)
    if unknown:
        options.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    if args.worker:
        return _worker(args.parts[0], args.rows, args.dry)
    ledger = args.rows.with_suffix(".json")
    done = json.loads(ledger.read_text()) if ledger.exists() and not args.again else []
    failed = []
    for name in args.parts or PARTS:
        if name in done:
            print(f"{name}: done before")
            continue
        print(f"== {name}: {PARTS[name].__doc__}", flush=True)
        command = [sys.executable, __file__, name, "--worker", "--rows", str(args.rows)] + ["--dry"] * args.dry
        began = time.perf_counter()
        try:
            code = subprocess.run(command, cwd=ROOT, timeout=args.limit).returncode
        except subprocess.TimeoutExpired:
            code = f"none after {args.limit:.0f} s"
        print(f"== {name}: exit code {code}, {time.perf_counter() - began:.0f} s", flush=True)
        if code:
            failed.append(name)
        elif not args.dry:
            ledger.write_text(json.dumps([*done, name]))
            done.append(name)
    print(f"failed: {', '.join(failed) or 'none'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
