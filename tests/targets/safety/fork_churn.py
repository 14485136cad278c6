import os
import threading

from steps import lowest, moment, open_numbers, three_moments


def fork_twenty_times():
    ended = []
    for number in range(20):
        pid = os.fork()
        if pid == 0:
            right = lowest() == 3 and open_numbers() == [0, 1, 2] and threading.active_count() == 1
            os._exit(number if right else 99)
        ended.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    return ended


def one_that_is_looked_at():
    pid = os.fork()
    if pid == 0:
        moment("in a child")
        os._exit(7)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


three_moments(fork_twenty_times)
print("looked at", one_that_is_looked_at())
