import os
import socket
import sys
import threading

from steps import RESULT, three_moments

if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
os.closerange(0, 1024)
os.open(os.devnull, os.O_RDWR)
os.open(RESULT, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
os.dup2(1, 2)
sys.stdout = open(1, "w", closefd=False)

listener = socket.create_server(("127.0.0.1", 0), backlog=128)
listener.settimeout(60)  # polled before it accepts, which would take the next number while it waits
files = [open(os.devnull) for _ in range(8)]
print("own numbers", listener.fileno(), [file.fileno() for file in files], flush=True)


def serve():
    while True:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(connection.recv(100).upper())


def ask_sixty_times():
    answered = 0
    for _ in range(60):
        with socket.create_connection(listener.getsockname(), timeout=10) as connection:
            connection.sendall(b"hello")
            answered += connection.recv(100) == b"HELLO"
            connection.recv(1)  # the other side has closed its descriptor
    kinds = [os.path.realpath(f"/proc/self/fd/{file.fileno()}") for file in files]
    return answered, sorted(set(kinds))


threading.Thread(target=serve, daemon=True).start()
three_moments(ask_sixty_times)
