import os
import socket
import tempfile

from steps import FOLDER, three_moments


def open_and_close():
    numbers = []
    files = [open(os.devnull) for _ in range(5)]
    sockets = [socket.socket() for _ in range(3)]
    numbers.append([each.fileno() for each in files + sockets])
    for each in files[::2] + sockets:
        each.close()
    with tempfile.TemporaryFile(dir=FOLDER) as file:
        numbers.append([file.fileno(), os.dup(0), *os.pipe()])
    for each in files:
        each.close()
    os.closerange(3, 64)
    return numbers


three_moments(open_and_close)
