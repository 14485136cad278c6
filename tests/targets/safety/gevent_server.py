from gevent import monkey

monkey.patch_all()

import socket

import gevent
import gevent.server
from steps import three_moments


def answer(connection, address):
    connection.sendall(connection.recv(100).upper())


server = gevent.server.StreamServer(("127.0.0.1", 0), answer)
server.start()


def ask(number):
    with socket.create_connection(server.address, timeout=20) as connection:
        connection.sendall(b"hello %d" % number)
        return connection.recv(100).decode()


def ask_all():
    asked = [gevent.spawn(ask, number) for number in range(20)]
    gevent.joinall(asked, raise_error=True)
    return sorted(each.value for each in asked)


ask_all()  # the descriptors that the loop opens at its first use are open from here on
three_moments(ask_all, meanwhile=lambda: gevent.sleep(0.005))
server.stop()
