"""What this process has taken of the machine's memory."""

from __future__ import annotations

import re
import resource
from pathlib import Path

#: What the C library keeps of what was freed, and what the picture of the report takes; measured.
KEPT, PICTURE = 20_000_000, 41_000_000


def peak() -> int:
    """Largest resident set of this process so far, in bytes.

    Linux hands ru_maxrss down from the process that started this one, so that a large parent would be counted here.
    """
    try:
        return int(re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024
    except (OSError, TypeError):  # not Linux
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
