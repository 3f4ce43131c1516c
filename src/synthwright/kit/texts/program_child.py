"""A process of its own that runs one program and its tests, and can do nothing else: started by `programs`, on Linux.

    python -I -S -B program_child.py FILE SECONDS BYTES asserts|none

Before the file is read, the process gives up for good what it does not need. It may use so many seconds of the
processor and bytes of memory. A filter of system calls (seccomp, of the kind that only lists what is allowed) leaves
it files to read: no network, no other process or thread, no signal, no file that is written, made, renamed or deleted.
That is tried out before anything runs. Only the standard library is there, and no environment.

It says on standard output the key that it was given on standard input, and `passed`, `failed`, `idle` where no test
ran, or `unguarded` where the filter does not hold. Anything else means that it was stopped, or stopped itself: a
program does not know the key unless it searches the frames above it.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import runpy
import signal
import struct
import sys
import unittest
from typing import Any

_ALLOWED = {
    "x86_64": (0xC000003E, (0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 19, 20, 21, 23, 24, 25, 28, 32, 33,
                            35, 39, 60, 63, 79, 89, 96, 97, 98, 99, 100, 102, 104, 107, 108, 110, 131, 186, 201, 202,
                            204, 217, 218, 228, 229, 230, 231, 262, 267, 269, 270, 271, 273, 292, 318, 332, 334, 439)),
    "aarch64": (0xC00000B7, (17, 23, 24, 48, 57, 61, 62, 63, 64, 65, 66, 67, 72, 73, 78, 79, 80, 93, 94, 96, 98, 99,
                             101, 113, 114, 115, 123, 124, 132, 134, 135, 139, 153, 160, 163, 165, 169, 172, 173, 174,
                             175, 176, 177, 178, 179, 214, 215, 216, 222, 226, 233, 278, 291, 293, 439)),
}  # fmt: skip
"""By machine: its number in linux/audit.h, and the calls that may be made, by the numbers of asm/unistd.h: reading,
looking at files, memory, time, its own signals and its own end."""
_WRITES, _CHANGES = 0x400643, 0xFFFFFFFC
_BITS = {"x86_64": ((257, 2, _WRITES), (72, 1, _CHANGES)), "aarch64": ((56, 2, _WRITES), (25, 1, _CHANGES))}
"""Calls that may be made where an argument has none of some bits: `openat` to read only, `fcntl` to ask only."""
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050001, 0x80000000  # linux/seccomp.h; refused is EPERM
_LOAD, _EQUAL, _ANY, _RETURN = 0x20, 0x15, 0x45, 0x06  # linux/bpf_common.h
_KEY = 32
_ARGUMENTS = 16  # bytes before the arguments of a call in struct seccomp_data
_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER, _PARENT_DIES = 38, 22, 2, 1  # linux/prctl.h


class _Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def filter_of(machine: str) -> bytes:
    """Return the filter of system calls for a machine, as the kernel reads it."""
    number, calls = _ALLOWED[machine]
    lines = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, number), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, 0)]
    for call in calls:
        lines += [(_EQUAL, 0, 1, call), (_RETURN, 0, 0, _ALLOW)]
    for call, place, bits in _BITS[machine]:
        lines += [(_EQUAL, 0, 4, call), (_LOAD, 0, 0, _ARGUMENTS + 8 * place), (_ANY, 1, 0, bits),
                  (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]  # fmt: skip
    return b"".join(struct.pack("=HBBI", *line) for line in (*lines, (_RETURN, 0, 0, _REFUSE)))


def give_up(seconds: int, most: int) -> bool:
    """Give up all that a program must not have; return whether that holds."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PARENT_DIES, signal.SIGKILL)
    for what, limit in ((resource.RLIMIT_CPU, seconds), (resource.RLIMIT_AS, most), (resource.RLIMIT_FSIZE, 0),
                        (resource.RLIMIT_CORE, 0), (resource.RLIMIT_NOFILE, 64)):  # fmt: skip
        resource.setrlimit(what, (limit, limit))
    if platform.machine() not in _ALLOWED:
        return False
    held = ctypes.create_string_buffer(filter_of(platform.machine()))
    program = _Program((len(held) - 1) // 8, ctypes.cast(held, ctypes.c_void_p))
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    libc.prctl(_SECCOMP, _FILTER, ctypes.byref(program), 0, 0)
    return libc.socket(2, 1, 0) < 0 and not _may_write() and not _may_fork()


def _may_write() -> bool:
    try:
        os.close(os.open(os.devnull, os.O_WRONLY))
    except PermissionError:
        return False
    return True


def _may_fork() -> bool:
    try:
        child = os.fork()
    except OSError:
        return False
    if not child:
        os._exit(0)
    return True


def outcome(path: str, *, asserts: bool) -> bytes:
    """Run a file, and then what it defines as tests: functions `test…`, methods of classes `Test…`, unittest's cases.

    Returns `passed` or `failed`; `idle` where no test ran and, as `asserts` says, none is among its own statements.
    """
    found: dict[str, Any] = runpy.run_path(path, run_name="program")
    ran, result = 0, unittest.TestResult()
    for name, value in found.items():
        if isinstance(value, type) and issubclass(value, unittest.TestCase):
            unittest.defaultTestLoader.loadTestsFromTestCase(value).run(result)
        elif isinstance(value, type) and name.startswith("Test"):
            ran += sum(_ran(getattr(value(), m)) for m in dir(value) if m.startswith("test"))
        elif name.startswith("test") and callable(value):
            ran += _ran(value)
    if not result.wasSuccessful():
        return b"failed"
    return b"passed" if asserts or ran or result.testsRun > len(result.skipped) else b"idle"


def _ran(test: Any) -> bool:
    """Run a test; return whether that was all, and no coroutine or generator is left that nobody runs."""
    left = test()
    if not hasattr(left, "send"):
        return True
    left.close()
    return False


def main() -> None:
    """Run what the command line names, and say how it went, after the word that standard input holds."""
    path, seconds, most, asserts = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "asserts"
    key = os.read(0, _KEY)
    said, nowhere = os.dup(1), os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    del sys.argv[1:]
    word = b"unguarded"
    if give_up(seconds, most):
        try:
            word = outcome(path, asserts=asserts)
        except BaseException:  # noqa: BLE001  whatever a program raises, its end among them, fails it
            word = b"failed"
    os.write(said, key + word)
    os._exit(0)


if __name__ == "__main__":
    main()
