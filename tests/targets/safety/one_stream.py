"""Writes output and errors to one file, unbuffered, from threads and children."""

import os
import sys
import threading

from steps import three_moments

os.dup2(1, 2)


def lines():
    for number in range(5):
        print("out", number, flush=True)
        print("err", number, file=sys.stderr)
        thread = threading.Thread(target=print, args=("thread", number), kwargs={"flush": True})
        thread.start()
        thread.join()
        pid = os.fork()
        if pid == 0:
            os.write(1, b"child\n")
            os._exit(0)
        os.waitpid(pid, 0)


three_moments(lines)
