"""Files that are no dataset.npz, or would do harm: refused in one line, and nothing is unpickled."""

import errno
import zipfile

import numpy as np
import pytest
from facts import telling
from surfaces import fermat

from mpiflow import cymetric, sampling
from mpiflow.errors import InputError

SURFACE = fermat(4)


def bomb(path):
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("X_train.npy", "w", force_zip64=True) as file,
    ):
        np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": (10**7, 10)})
        for _ in range(100):
            file.write(bytes(1 << 20))


def lying(path):
    with zipfile.ZipFile(path, "w") as archive, archive.open("X_train.npy", "w") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": (10**14, 10)})


def npy(path):
    with path.open("wb") as file:
        np.save(file, np.ones((3, 10)))


def headless(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("X_train.npy", b"\x93NUMPY\x01\x00\x40\x00{'descr': (((((((" + b" " * 60)


FILES = {
    "an archive that unpacks to a thousand times its size": (bomb, "X_train.npy"),
    "an array larger than its file": (lying,),
    "no archive": (npy, ".npz"),
    "an array without a header": (headless,),
    "a folder": (lambda path: path.mkdir(), f"[Errno {errno.EINVAL}]"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_would_do_harm_is_refused_in_one_line(tmp_path, case):
    make, *facts = FILES[case]
    make(tmp_path / "dataset.npz")
    with telling(InputError, *none(tmp_path / "dataset.npz"), *facts) as told:
        cymetric.read(tmp_path / "dataset.npz", SURFACE, sampling.TRAIN, None, 1)
    assert "allow_pickle" not in str(told.value)


def none(path):
    """What is told of a file that holds no plain arrays: its name, and what makes one."""
    return f"points.file = '{path}'", "X_train", "y_train", "`mpiflow points`"


@pytest.mark.parametrize("content", [None, b"", b"text", b"PK\x03\x04torn"])
def test_a_file_that_is_none_is_refused(tmp_path, content):
    path = tmp_path / "dataset.npz"
    if content is not None:
        path.write_bytes(content)
    with telling(InputError, *(none(path) if content is not None else none(path)[:1])):
        cymetric.read(path, SURFACE, sampling.TRAIN, None, 1)


def test_nothing_is_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("a pickle was loaded",))

    path = tmp_path / "dataset.npz"
    np.savez(path, X_train=np.array([Trap()], object), y_train=np.ones((1, 2)))
    with telling(InputError, *none(path)):
        cymetric.read(path, SURFACE, sampling.TRAIN, None, 1)
