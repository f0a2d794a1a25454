"""Text of users, of states and of the system made inert: no markup, no control character reaches a terminal or a log."""

from __future__ import annotations


def inert(text: object, keep: str = "") -> str:
    """Text whose every character is printable; others, but those of `keep`, are shown by their escape, as \\x1b.

    Bytes that are not UTF-8, as file names may have them, are shown by the escape of their surrogate.
    """
    text = str(text)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else c.encode("unicode_escape").decode() for c in text)
