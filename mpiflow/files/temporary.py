"""The names that files have before they are whole: hidden, beside the file, with the process that writes."""

from __future__ import annotations

import os
import re
import secrets
import socket
from pathlib import Path

_TEMPORARY = re.compile(r"\.(?P<name>.+)\.(?P<pid>\d+)@(?P<host>.+)\.tmp")
#: Bytes of the file's own name that are kept: names end at 255 bytes.
_KEPT = 120


def temporary(path: Path) -> Path:
    """A name beside `path` that no other writer has, for this process to write under; another one at each call."""
    name = os.fsencode(path.name)[:_KEPT].decode(errors="ignore")
    return path.with_name(f".{name}.{secrets.token_hex(4)}.{os.getpid()}@{socket.gethostname()}.tmp")


def temporaries(folder: Path) -> list[tuple[Path, str]]:
    """(path, writer as pid@host) of every file in a folder that never got its final name."""
    found = ((path, _TEMPORARY.fullmatch(path.name)) for path in sorted(Path(folder).glob(".*.tmp")))
    return [(path, f"{match['pid']}@{match['host']}") for path, match in found if match]
