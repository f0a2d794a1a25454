"""What people and programs see: the only room that prints; all text is inert on its way, and nothing shown ends a run."""

from mpiflow.screen.console import answer, document, tell
from mpiflow.screen.inert import inert
from mpiflow.screen.screen import Screen

__all__ = ["Screen", "answer", "document", "inert", "tell"]
