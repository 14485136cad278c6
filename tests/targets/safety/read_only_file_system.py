import os

from steps import count, three_moments


def write():
    try:
        open(f"{os.environ['TMPDIR']}/file", "w")
    except OSError as error:
        return error.strerror, count()
    return "writable"


three_moments(write)
