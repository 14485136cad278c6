"""Room for the agent, but not for two of its segments."""

import os
import resource

from steps import three_moments

limit = 900 << 20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def fork_and_allocate():
    ended = []
    for number in range(5):
        pid = os.fork()
        if pid == 0:
            os._exit(number)
        ended.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    try:
        bytearray(1 << 30)
    except MemoryError:
        return ended, "no memory for a GiB"
    return ended, "too much memory"


three_moments(fork_and_allocate)
