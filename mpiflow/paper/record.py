"""What a figure's command leaves beside its picture: its lines, rows and claims, for the report and for a later start."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, is_dataclass
from numbers import Real
from pathlib import Path

from mpiflow import __version__
from mpiflow.comm import Comm
from mpiflow.errors import InputError
from mpiflow.files import claims, put, take
from mpiflow.paper.claims import Claim
from mpiflow.paper.registry import Figure


@dataclass(frozen=True)
class Record:
    """One finished figure: its size, seed and seconds, what it printed, and its claims. path: of the record itself.

    title: "" in records that are older than it. sha256: of the text of a user's figure, "" for one of ours.
    """

    path: Path
    name: str
    size: int
    seed: int
    ranks: int
    seconds: float
    version: str
    lines: list[str]
    claims: list[Claim]
    title: str = ""
    sha256: str = ""

    @property
    def picture(self) -> Path | None:
        """The picture beside the record, where the figure draws one."""
        path = self.path.with_suffix(".png")
        return path if path.is_file() and not path.is_symlink() else None


def there(comm: Comm, figure: Figure, out: Path, size: int, seed: int, force: bool) -> Record | None:
    """The record of this very figure, where an earlier start left it; collective.

    Raises InputError, unless `force`, where out/NAME.json or out/NAME.png is anything else: another size or seed, of another
    text of a user's figure, or a file of the user's.
    """
    wanted = (figure.name, size, seed, figure.sha256)
    return comm.led(_there, out, wanted, force)


def _there(out: Path, wanted: tuple, force: bool) -> Record | None:
    found = None if force else read(out / f"{wanted[0]}.json")
    same = found is not None and (found.name, found.size, found.seed, found.sha256) == wanted
    claims.output_folder(out, (f"{wanted[0]}.json", f"{wanted[0]}.png"), lambda folder: same or force)
    return found if same and found.picture else None


def made(comm: Comm, figure: Figure, out: Path, size: int, seed: int, say) -> Record:
    """Make a figure and leave its record, out/NAME.json, which is whole or absent; collective.

    Raises InputError where a user's figure returns no rows or no claims.
    """
    lines, began = [], time.monotonic()

    def told(line: str) -> None:
        lines.append(str(line))
        say(lines[-1])

    rows = _listed(
        figure, "run", figure.module.run(comm, out, size, told, seed), _is_row, "of instances of a dataclass"
    )
    claimed = _listed(figure, "claims", figure.module.claims(rows), _is_claim, "of mpiflow.paper.claims.Claim")
    # Where a picture lies is no result, and would differ from one folder to the next.
    kept = [line for line in lines if not line.startswith("picture: ")]
    seconds = time.monotonic() - began
    measured = (size, seed, comm.size, seconds, __version__, kept, claimed)
    found = Record(out / f"{figure.name}.json", figure.name, *measured, figure.title, figure.sha256)
    comm.led(_write, found, [asdict(row) for row in rows])
    return found


def _listed(figure: Figure, verb: str, found: object, is_one: Callable[[object], bool], wanted: str) -> list:
    """What a verb of a figure returned. Raises InputError for what is no list of what it is to be."""
    if not isinstance(found, list) or not all(map(is_one, found)):
        raise InputError(f"paper {figure.name}: its {verb} returned no list {wanted}")
    return found


def _is_row(item: object) -> bool:
    return is_dataclass(item) and not isinstance(item, type)


def _is_claim(item: object) -> bool:
    """Whether it is a claim, and every field of its kind."""
    if not isinstance(item, Claim):
        return False
    words, numbers = (item.what, item.paper, item.because), (item.ours, item.low, item.high)
    return all(isinstance(word, str) for word in words) and all(isinstance(number, Real) for number in numbers)


def _write(record: Record, rows: list[dict]) -> None:
    record.path.parent.mkdir(parents=True, exist_ok=True)
    table = asdict(record) | {"path": None, "rows": rows}
    put(record.path, json.dumps(table, indent=1, default=_plain) + "\n")


def _plain(value):
    """NumPy's numbers and arrays as Python's."""
    return value.tolist()


def read(path: Path) -> Record | None:
    """A record; None where there is none, or none of ours."""
    try:
        if path.is_symlink():
            return None
        table = json.loads(take(path))
        table.pop("rows")
        found = [Claim(**claim) for claim in table.pop("claims")]
        record = Record(**table | {"path": path, "claims": found})
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return record if _is_ours(record) else None


def _is_ours(record: Record) -> bool:
    """Whether every field of a record and of its claims is of its kind."""
    numbers = (record.size, record.seed, record.ranks)
    words = [record.name, record.version, record.title, record.sha256, *record.lines]
    return (
        record.name == record.path.stem
        and all(type(number) is int for number in numbers)
        and isinstance(record.seconds, int | float)
        and all(isinstance(word, str) for word in words)
        and all(map(_is_claim, record.claims))
    )
