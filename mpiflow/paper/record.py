"""What a figure's command leaves beside its picture: its lines, rows and claims, for the report and for a later start."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from mpiflow import __version__
from mpiflow.comm import Comm
from mpiflow.paper import figure
from mpiflow.paper.claims import Claim


@dataclass(frozen=True)
class Record:
    """One finished figure: its size, seed and seconds, what it printed, and its claims. path: of the record itself."""

    path: Path
    name: str
    size: int
    seed: int
    ranks: int
    seconds: float
    version: str
    lines: list[str]
    claims: list[Claim]

    @property
    def picture(self) -> Path | None:
        """The picture beside the record, where the figure draws one."""
        path = self.path.with_suffix(".png")
        return path if path.exists() else None


def made(comm: Comm, name: str, out: Path, size: int, seed: int, say) -> Record:
    """Make a figure and leave its record, out/NAME.json, which is whole or absent; collective."""
    module, lines, began = figure(name), [], time.monotonic()

    def told(line: str) -> None:
        lines.append(line)
        say(line)

    rows = module.run(comm, out, size, told, seed)
    # Where a picture lies is no result, and would differ from one folder to the next.
    kept = [line for line in lines if not line.startswith("picture: ")]
    seconds = time.monotonic() - began
    found = Record(out / f"{name}.json", name, size, seed, comm.size, seconds, __version__, kept, module.claims(rows))
    with comm.lead() as mine:
        if mine:
            out.mkdir(parents=True, exist_ok=True)
            _write(found, [asdict(row) for row in rows])
    return found


def _write(record: Record, rows: list[dict]) -> None:
    table = asdict(record) | {"path": None, "rows": rows}
    temporary = record.path.with_name(f".{record.path.name}.{os.getpid()}.tmp")
    temporary.write_text(json.dumps(table, indent=1, default=_plain))
    temporary.replace(record.path)


def _plain(value):
    """NumPy's numbers and arrays as Python's."""
    return value.tolist()


def read(path: Path) -> Record | None:
    """A record; None where there is none, or none that can be read."""
    try:
        table = json.loads(path.read_text())
        table.pop("rows")
        claims = [Claim(**claim) for claim in table.pop("claims")]
        return Record(**table | {"path": path, "claims": claims})
    except (OSError, ValueError, KeyError, TypeError):
        return None
