"""Arrays in a file of another program: read without believing it."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from mpiflow.files.take import opened

#: An array that is larger than this and was packed so much smaller holds no measured numbers: it is a bomb.
_LARGE, _PACKED = 64 << 20, 50


def arrays(path: Path, names: Iterable[str], optional: Iterable[str] = ()) -> dict[str, np.ndarray]:
    """Arrays of an .npz file by their names; of the optional ones those that are there. No pickle is ever loaded.

    Raises FileNotFoundError, and ValueError in one line for whatever else is wrong with the file.
    """
    try:
        with opened(path) as content:
            if not zipfile.is_zipfile(content):
                raise ValueError("it is no .npz file: not a zip archive")
            _packed(content)
            with np.load(content, allow_pickle=False) as file:
                wanted = [*names, *(name for name in optional if name in file.files)]
                return {name: file[name] for name in wanted}
    except FileNotFoundError:
        raise
    except MemoryError:
        raise ValueError("an array in it asks for more memory than there is") from None
    # Zip, zlib, lzma and NumPy's parser of headers raise all kinds of errors for what is damaged.
    except Exception as error:
        # NumPy's own text would advise to load pickles.
        why = "it holds Python objects, which are never loaded" if "pickle" in str(error) else str(error)
        raise ValueError(" ".join(why.split())[:200]) from None


def _packed(content) -> None:
    """Raise ValueError for an array that would fill the memory from a small file."""
    with zipfile.ZipFile(content) as archive:
        for item in archive.infolist():
            if item.file_size > max(_LARGE, _PACKED * item.compress_size):
                raise ValueError(f"{item.filename} would unpack {item.compress_size:,} bytes to {item.file_size:,}")
    content.seek(0)
