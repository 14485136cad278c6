"""A target that calls a function of a library, which answers with an address in its code.

``LIBRARY FUNCTION``; without steps.
"""

from __future__ import annotations

import ctypes
import sys

from stepping import serve

if __name__ == "__main__":
    library, function = sys.argv[1:]
    call = ctypes.CDLL(library)[function]
    call.restype = ctypes.c_void_p
    serve({}, address=call())
