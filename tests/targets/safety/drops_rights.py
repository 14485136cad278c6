"""Started as root, continues as another user, as servers do once they listen."""

import ctypes
import os
import struct

from steps import FOLDER, count, three_moments

OTHER = 65534
KEEP_CAPABILITIES, VERSION_3, READ_ANY_FILE = 8, 0x20080522, 1 << 2
libc = ctypes.CDLL(None, use_errno=True)

for name in ("said", "go"):
    os.chmod(f"{FOLDER}/{name}", 0o666)
for place in (FOLDER, os.environ["XDG_RUNTIME_DIR"], os.environ["TMPDIR"]):
    os.chown(place, OTHER, OTHER)
libc.prctl(KEEP_CAPABILITIES, ctypes.c_ulong(1), 0, 0, 0)
os.setgroups([])
os.setgid(OTHER)
os.setuid(OTHER)
header = struct.pack("Ii", VERSION_3, 0)
if libc.capset(header, struct.pack("6I", READ_ANY_FILE, READ_ANY_FILE, 0, 0, 0, 0)):
    raise OSError(ctypes.get_errno(), "capset")
three_moments(lambda: (count(), os.getuid()))
