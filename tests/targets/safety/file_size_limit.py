import os
import resource

from steps import FOLDER, three_moments

resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))


def write_too_much():
    with open(f"{FOLDER}/large", "wb", buffering=0) as file:
        written = file.write(b"x" * 200_000)
        try:
            file.write(b"x")
        except OSError as error:
            said = error.strerror
    os.unlink(f"{FOLDER}/large")
    return written, said


three_moments(write_too_much)
