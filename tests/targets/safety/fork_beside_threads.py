import os
import threading
import warnings

from steps import three_moments

warnings.simplefilter("ignore", DeprecationWarning)


def fork_from_each():
    ended = []

    def fork():
        for number in range(5):
            pid = os.fork()
            if pid == 0:
                os._exit(number)
            ended.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

    threads = [threading.Thread(target=fork) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(ended)


three_moments(fork_from_each)
