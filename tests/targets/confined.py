"""Confines itself, then runs another program in its place.

``confined.py HOW[,HOW…] PROGRAM ARGS…``.

``not-dumpable`` forbids being looked at; ``no-new-privileges`` can gain no rights;
``no-write-execute`` lets no memory become executable that was writable (systemd's
``MemoryDenyWriteExecute``); the remaining modes install filters of system calls: ``filter-unused``
kills callers of ``uselib``, an unused call; ``filter-socket`` and ``filter-clone`` answer ``EPERM``
to ``socket`` and to calls that start a thread.
"""

import ctypes
import runpy
import struct
import sys

libc = ctypes.CDLL(None, use_errno=True)
SET_DUMPABLE, SET_SECCOMP, SET_NO_NEW_PRIVS, SET_MDWE = 4, 22, 38, 65
SOCKET, CLONE, USELIB, CLONE3 = 41, 56, 134, 435
ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050001
"""What a filter answers; ``REFUSE`` with ``EPERM``."""


def control(*words):
    if libc.prctl(*words, *[ctypes.c_ulong(0)] * (5 - len(words))):
        sys.exit(f"prctl{words} failed: error {ctypes.get_errno()}")


def install_filter(answer, *calls):
    """A filter of BPF: loads the number of the call, compares it, answers."""
    lines = [(0x20, 0, 0, 0)]
    for at, call in enumerate(calls):
        lines.append((0x15, len(calls) - at, 0, call))
    lines += [(0x06, 0, 0, ALLOW), (0x06, 0, 0, answer)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in lines))
    program = ctypes.create_string_buffer(struct.pack("@HP", len(lines), ctypes.addressof(code)))
    control(SET_NO_NEW_PRIVS, ctypes.c_ulong(1))
    control(SET_SECCOMP, ctypes.c_ulong(2), program)


WAYS = {
    "not-dumpable": lambda: control(SET_DUMPABLE, ctypes.c_ulong(0)),
    "no-new-privileges": lambda: control(SET_NO_NEW_PRIVS, ctypes.c_ulong(1)),
    "no-write-execute": lambda: control(SET_MDWE, ctypes.c_ulong(1)),
    "filter-unused": lambda: install_filter(KILL, USELIB),
    "filter-socket": lambda: install_filter(REFUSE, SOCKET),
    "filter-clone": lambda: install_filter(REFUSE, CLONE, CLONE3),
}

for how in sys.argv[1].split(","):
    WAYS[how]()
sys.argv[:] = sys.argv[2:]
runpy.run_path(sys.argv[0], run_name="__main__")
