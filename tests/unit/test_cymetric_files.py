"""Files that are no dataset.npz, or would do harm: refused in one line, and nothing is unpickled."""

import zipfile

import numpy as np
import pytest
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
    "X_train.npy would unpack": bomb,
    "more memory than there is|truncated": lying,
    "not a zip archive": npy,
    "EOF|header": headless,
    "not a regular file": lambda path: path.mkdir(),
}


@pytest.mark.parametrize("words", FILES)
def test_a_file_that_would_do_harm_is_refused_in_one_line(tmp_path, words):
    FILES[words](tmp_path / "dataset.npz")
    with pytest.raises(InputError, match=f"not a dataset.npz with plain arrays .*({words})") as told:
        cymetric.read(tmp_path / "dataset.npz", SURFACE, sampling.TRAIN, None, 1)
    assert len(str(told.value).splitlines()) == 1 and "allow_pickle" not in str(told.value)


@pytest.mark.parametrize("content", [None, b"", b"text", b"PK\x03\x04torn"])
def test_a_file_that_is_none_is_refused(tmp_path, content):
    path = tmp_path / "dataset.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match="no such file|not a dataset.npz"):
        cymetric.read(path, SURFACE, sampling.TRAIN, None, 1)


def test_nothing_is_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("a pickle was loaded",))

    path = tmp_path / "dataset.npz"
    np.savez(path, X_train=np.array([Trap()], object), y_train=np.ones((1, 2)))
    with pytest.raises(InputError, match="plain arrays"):
        cymetric.read(path, SURFACE, sampling.TRAIN, None, 1)
