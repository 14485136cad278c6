import os
import tempfile

from steps import count, three_moments


def write():
    with tempfile.NamedTemporaryFile(buffering=0) as file:
        try:
            file.write(b"x" * 5000)
        except OSError as error:
            return error.strerror, count()
    return "room", sorted(os.listdir(os.environ["TMPDIR"]))


three_moments(write)
