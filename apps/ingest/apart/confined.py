"""No network and no other program for this process from now on, where the kernel can see to it (Linux, seccomp).

Reading needs neither. What a crafted file might make an engine do stays on this machine, in this process.
"""

import ctypes
import errno
import platform
import sys
from itertools import chain

_CALLS = {
    # Machine → its number in audits (linux/audit.h); socket, execve, ptrace, execveat, io_uring_setup (unistd.h).
    "x86_64": (0xC000003E, (41, 59, 101, 322, 425)),
    "aarch64": (0xC00000B7, (198, 221, 117, 281, 425)),
}
_OTHER_CALLS = 0x40000000  # from here on, calls of x86_64 have second numbers
_NUMBER, _MACHINE = 0, 4  # where they lie in struct seccomp_data
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06  # linux/bpf_common.h
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EACCES  # linux/seccomp.h
_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _FILTER = 22, 38, 2  # linux/prctl.h


class _Step(ctypes.Structure):
    """struct sock_filter: what to do, how many steps to skip if it is so and if it is not, and with what."""

    _fields_ = (("code", ctypes.c_ushort), ("yes", ctypes.c_ubyte), ("no", ctypes.c_ubyte), ("k", ctypes.c_uint))


class _Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.POINTER(_Step)))


def confine() -> bool:
    """Refuse this process, for good, what reaches beyond it; whether the kernel does."""
    if sys.platform != "linux" or platform.machine() not in _CALLS:
        return False
    machine, calls = _CALLS[platform.machine()]
    refused = [(_IF_EQUAL, 0, 1, call) for call in calls] + [(_IF_AT_LEAST, 0, 1, _OTHER_CALLS)]
    steps = [
        (_LOAD, 0, 0, _MACHINE),
        (_IF_EQUAL, 1, 0, machine),
        (_RETURN, 0, 0, _REFUSE),
        (_LOAD, 0, 0, _NUMBER),
        *chain.from_iterable((one, (_RETURN, 0, 0, _REFUSE)) for one in refused),
        (_RETURN, 0, 0, _ALLOW),
    ]
    program = _Program(len(steps), (_Step * len(steps))(*(_Step(*step) for step in steps)))
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    return bool(libc.prctl(_PR_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0) == 0)
