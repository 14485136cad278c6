import os
import select
import signal
import socket

from steps import three_moments

reader, writer = socket.socketpair()
writer.setblocking(False)
signal.signal(signal.SIGUSR1, lambda number, frame: None)
signal.set_wakeup_fd(writer.fileno())


def signals():
    woken = b""
    for _ in range(20):
        os.kill(os.getpid(), signal.SIGUSR1)
        select.select([reader], [], [], 20)
        woken += reader.recv(100)
    return woken


three_moments(signals)
signal.set_wakeup_fd(-1)
