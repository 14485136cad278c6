import os
import resource

from steps import count, three_moments

used = int(open("/proc/self/statm").read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
limit = used + (20 << 20)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def fork_and_count():
    pid = os.fork()
    if pid == 0:
        os._exit(7)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), count()


three_moments(fork_and_count)
