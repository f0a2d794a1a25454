"""What a test holds of an error: its class, that it is one line, and the facts in it; its prose is free."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


def tells(text: str, *facts: object) -> None:
    """One line with every fact in it: a key, a value, a path. Each stands there by itself: 7 is not in 17, 7.5 or x.7."""
    assert len(text.splitlines()) == 1, text
    for fact in facts:
        assert re.search(rf"(?<![\w.]){re.escape(str(fact))}(?!\w|\.\d)", text), f"{fact}: {text}"


@contextmanager
def telling(kind: type[Exception], *facts: object) -> Iterator[pytest.ExceptionInfo]:
    """What is done within raises an error of this kind, one line with these facts."""
    with pytest.raises(kind) as met:
        yield met
    tells(str(met.value), *facts)
