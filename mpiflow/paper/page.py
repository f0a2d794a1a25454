"""One page of all figures: the paper's numbers, ours with their spread over seeds, verdicts, pictures, tables."""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from mpiflow.errors import InputError
from mpiflow.files import claims, put, take
from mpiflow.paper import record, registry
from mpiflow.paper.claims import Verdict, verdict
from mpiflow.paper.record import Record
from mpiflow.screen import inert

#: The page, what its first lines say of its origin, and how every PNG begins.
_PAGE, _MADE, _PNG = "report.html", "mpiflow paper report", b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Part:
    """What the page says of one figure: the first seed's lines and picture, verdicts over all seeds of its size."""

    name: str
    title: str
    first: Record
    seeds: list[int]
    verdicts: list[Verdict]
    picture: str


def write(folder: Path, force: bool = False) -> tuple[Path, list[Part]]:
    """Write folder/report.html from all records under it; returns its path and what it shows.

    Raises InputError where there is no record, and, unless `force`, where report.html is no page of ours.
    """
    claim(folder, force)
    # Not rglob, which follows links to folders up to Python 3.12.
    paths = sorted(
        Path(where) / name for where, _, names in os.walk(folder) for name in names if name.endswith(".json")
    )
    found = [item for path in paths if (item := record.read(path)) is not None]
    if not found:
        raise InputError(
            f"paper report {folder}: no figure has been made there; `mpiflow paper all -o {folder}` makes them"
        )
    titles = {item.name: item.title or item.name for item in found} | registry.titles()
    shown = [_part(name, title, [item for item in found if item.name == name]) for name, title in titles.items()]
    shown = sorted((part for part in shown if part), key=lambda part: part.name)
    environment = Environment(
        loader=PackageLoader("mpiflow.paper", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        finalize=lambda value: inert(value, keep="\n") if isinstance(value, str) else value,
    )
    path = folder / _PAGE
    put(path, environment.get_template("page.html").render(parts=shown, made=_MADE, version=shown[0].first.version))
    return path, shown


def claim(folder: Path, force: bool) -> None:
    """Raise InputError, unless `force`, where the page would replace what no earlier start of this command made."""
    claims.output_folder(folder, (_PAGE,), _ours, force=force)


def _ours(folder: Path) -> bool:
    try:
        return _MADE in take(folder / _PAGE)
    except (OSError, ValueError):
        return False


def _part(name: str, title: str, records: list[Record]) -> Part | None:
    if not records:
        return None
    largest = max(item.size for item in records)
    kept = sorted((item for item in records if item.size == largest), key=lambda item: item.seed)
    by_claim = zip(*(item.claims for item in kept), strict=True)
    verdicts = [verdict(list(claims)) for claims in by_claim]
    first = kept[0]
    return Part(name, title, first, [item.seed for item in kept], verdicts, _embedded(first.picture))


def _embedded(picture: Path | None) -> str:
    content = picture.read_bytes() if picture else b""
    return base64.b64encode(content).decode() if content.startswith(_PNG) else ""
