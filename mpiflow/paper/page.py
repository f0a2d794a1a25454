"""One page of all figures: the paper's numbers, ours with their spread over seeds, verdicts, pictures, tables."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from mpiflow.errors import InputError
from mpiflow.paper import FIGURES, record
from mpiflow.paper.claims import Verdict, verdict
from mpiflow.paper.record import Record


@dataclass(frozen=True)
class Part:
    """What the page says of one figure: the first seed's lines and picture, verdicts over all seeds of its size."""

    name: str
    title: str
    first: Record
    seeds: list[int]
    verdicts: list[Verdict]
    picture: str


def write(folder: Path) -> tuple[Path, list[Part]]:
    """Write folder/report.html from all records under it; returns its path and what it shows.

    Raises InputError where there is no record.
    """
    found = [item for path in sorted(folder.rglob("*.json")) if (item := record.read(path)) is not None]
    if not found:
        raise InputError(
            f"paper report {folder}: no figure has been made there; `mpiflow paper all -o {folder}` makes them"
        )
    shown = [_part(name, [item for item in found if item.name == name]) for name in FIGURES]
    shown = [part for part in shown if part]
    environment = Environment(
        loader=PackageLoader("mpiflow.paper", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    path = folder / "report.html"
    path.write_text(environment.get_template("page.html").render(parts=shown, version=shown[0].first.version))
    return path, shown


def _part(name: str, records: list[Record]) -> Part | None:
    if not records:
        return None
    largest = max(item.size for item in records)
    kept = sorted((item for item in records if item.size == largest), key=lambda item: item.seed)
    by_claim = zip(*(item.claims for item in kept), strict=True)
    verdicts = [verdict(list(claims)) for claims in by_claim]
    first = kept[0]
    return Part(name, FIGURES[name], first, [item.seed for item in kept], verdicts, _embedded(first.picture))


def _embedded(picture: Path | None) -> str:
    return base64.b64encode(picture.read_bytes()).decode() if picture else ""
