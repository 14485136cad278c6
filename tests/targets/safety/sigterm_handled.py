import os
import signal
import sys

from steps import count, three_moments


def leave(number, frame):
    print("asked to end by", number, flush=True)
    sys.exit(3)


signal.signal(signal.SIGTERM, leave)
three_moments(count)
os.kill(os.getpid(), signal.SIGTERM)
while True:
    signal.pause()
