"""Workers that accept on one socket, restarted by the parent when they end, as application
servers do it."""

import os
import signal
import socket

from steps import three_moments

listener = socket.create_server(("127.0.0.1", 0), backlog=64)
WORKERS, REQUESTS = 3, 4
NO_MORE = b"end"


def worker():
    served = 0
    while True:
        connection, _ = listener.accept()
        with connection:
            asked = connection.recv(100)
            if asked == NO_MORE:
                os._exit(served)
            served += 1
            connection.sendall(b"%d lowest %d" % (len(asked), os.dup(listener.fileno())))
            os.closerange(listener.fileno() + 2, 64)


def start():
    pid = os.fork()
    if pid == 0:
        worker()
    return pid


def ask(text):
    with socket.create_connection(listener.getsockname(), timeout=20) as connection:
        connection.sendall(text)
        return connection.recv(100).split()[0].decode()


def serve():
    workers = {start() for _ in range(WORKERS)}
    answers = [ask(b"x" * size) for size in range(1, REQUESTS + 1)]
    lost = workers.pop()
    os.kill(lost, signal.SIGKILL)
    ended = [os.waitstatus_to_exitcode(os.waitpid(lost, 0)[1])]
    workers.add(start())
    for _ in workers:
        ask_to_end()
    served = sum(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) >= 0 for pid in workers)
    return answers, ended, served


def ask_to_end():
    with socket.create_connection(listener.getsockname(), timeout=20) as connection:
        connection.sendall(NO_MORE)
        connection.recv(1)


three_moments(serve)
