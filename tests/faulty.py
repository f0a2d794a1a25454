"""A disk on which one chosen operation fails, as a full, broken or removed disk makes it fail."""

from __future__ import annotations

import os

from mpiflow.files.disk import Disk

OPERATIONS = ("create", "write", "sync", "close", "read", "replace", "sync_folder")


class Faulty(Disk):
    """The n-th call (from 1) of an operation raises the error; later ones too if `stays`. `met` tells if it was reached."""

    def __init__(self, operation: str, n: int, number: int, stays: bool = False):
        self.operation, self.left, self.number, self.stays = operation, n, number, stays
        self.met = False

    def __getattribute__(self, name):
        if name == object.__getattribute__(self, "operation"):
            self._count()
        return object.__getattribute__(self, name)

    def _count(self) -> None:
        self.left -= 1
        if self.left == 0 or (self.stays and self.left < 0):
            self.met = True
            raise OSError(self.number, os.strerror(self.number))
