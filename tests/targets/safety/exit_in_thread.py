import sys
import threading

from steps import count, three_moments


def fail():
    raise RuntimeError("of a thread")


def leave():
    sys.exit("a thread's own exit is no exit of the program")


three_moments(count)
for body in (fail, leave):
    thread = threading.Thread(target=body, name="one that fails")
    thread.start()
    thread.join()
