"""NVIDIA's run-time compiler, which needs no GPU: from CUDA text to machine code, and what it says of it."""

import ctypes
import re
from importlib.util import find_spec
from pathlib import Path


def _library():
    found = find_spec("nvidia") and find_spec("nvidia.cuda_nvrtc")
    if not found:
        return None
    return ctypes.CDLL(str(next(Path(found.submodule_search_locations[0], "lib").glob("libnvrtc.so*"))))


LIBRARY = _library()


def compiled(text: str, architecture: str, options=()) -> tuple[bytes, str]:
    """The machine code of a text and the compiler's log. Raises ValueError with the log where it does not compile."""
    program, size = ctypes.c_void_p(), ctypes.c_size_t()
    LIBRARY.nvrtcCreateProgram(ctypes.byref(program), text.encode(), b"text.cu", 0, None, None)
    given = [option.encode() for option in (f"--gpu-architecture={architecture}", "-Xptxas", "-v", *options)]
    failed = LIBRARY.nvrtcCompileProgram(program, len(given), (ctypes.c_char_p * len(given))(*given))
    LIBRARY.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    LIBRARY.nvrtcGetProgramLog(program, log)
    if failed:
        raise ValueError(log.value.decode())
    LIBRARY.nvrtcGetCUBINSize(program, ctypes.byref(size))
    code = ctypes.create_string_buffer(size.value)
    LIBRARY.nvrtcGetCUBIN(program, code)
    LIBRARY.nvrtcDestroyProgram(ctypes.byref(program))
    return code.raw, log.value.decode()


def used(log: str) -> dict[str, int]:
    """Registers, bytes of shared memory and bytes that did not fit into registers, as the log tells."""
    numbers = {
        "registers": r"Used (\d+) registers",
        "shared": r"(\d+) bytes smem",
        "spilled": r"(\d+) bytes spill stores",
        "stack": r"(\d+) bytes stack frame",
    }
    found = {name: re.search(pattern, log) for name, pattern in numbers.items()}
    return {name: int(match[1]) if match else 0 for name, match in found.items()}
