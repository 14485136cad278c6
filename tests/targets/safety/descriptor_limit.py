"""Nearly all descriptors that it may have are in use."""

import os
import resource

from steps import three_moments

LIMIT = 24
resource.setrlimit(resource.RLIMIT_NOFILE, (LIMIT, LIMIT))
held = [os.open(os.devnull, os.O_RDONLY) for _ in range(LIMIT - 6)]


def use_the_rest():
    opened = []
    refusal = ""
    while not refusal:
        try:
            opened.append(os.open(os.devnull, os.O_RDONLY))
        except OSError as error:
            refusal = error.strerror
    for each in opened:
        os.close(each)
    return opened, refusal


three_moments(use_the_rest)
