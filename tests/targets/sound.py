"""Small sound programs over many packages in one process: ``go NAME`` runs a round of one program.

Each round closes or drops its objects; the objects that a program keeps have one size from its
first round on.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import mmap
import os
import socket
import sqlite3
import tempfile
import threading
from collections import deque
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import bdkpython
import duckdb
import h5py
import nostr_sdk
import tokenizers
import zmq
from stepping import serve

from inspector import agent
from inspector.runtime import Cursor, Journal, TodoItem, TodoList

FOLDER = tempfile.TemporaryDirectory()
KEPT: dict[str, Any] = {}
"""What a program keeps between its rounds."""
AT_ONCE = 6
"""Objects that a round makes, where it makes several."""


def kept(name: str, make: Callable[[], Any]) -> Any:
    """The objects that a program keeps; made once."""
    if name not in KEPT:
        KEPT[name] = make()
    return KEPT[name]


def files_in_with() -> None:
    for _ in range(AT_ONCE):
        with io.FileIO(os.devnull) as file:
            file.read(1)


def files_closed_at_the_end() -> None:
    opened = [io.FileIO(os.devnull) for _ in range(AT_ONCE)]
    try:
        opened[0].read(1)
    finally:
        for file in opened:
            file.close()


def connections_in_closing() -> None:
    for _ in range(AT_ONCE):
        with closing(sqlite3.connect(":memory:")) as database, database:
            database.execute("create table lines (text)")


def connections_of_a_pool() -> None:
    pool = kept(
        "pool",
        lambda: [sqlite3.connect(":memory:", check_same_thread=False) for _ in range(AT_ONCE)],
    )
    for database in pool:
        assert database.execute("select 1").fetchone() == (1,)


def cursors_of_one_connection() -> None:
    database = kept("database", lambda: sqlite3.connect(":memory:"))
    for _ in range(AT_ONCE):
        cursor = database.cursor()
        cursor.execute("select 1")
        cursor.close()


def mappings() -> None:
    for _ in range(AT_ONCE):
        with mmap.mmap(-1, 4096) as mapping:
            mapping.write(b"line")


def socket_pairs() -> None:
    for _ in range(AT_ONCE):
        near, far = socket.socketpair()
        with near, far:
            near.sendall(b"line")
            assert far.recv(4) == b"line"


def server_of_connections() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        for _ in range(AT_ONCE):
            with (
                socket.create_connection(listener.getsockname()) as caller,
                listener.accept()[0] as peer,
            ):
                peer.sendall(b"line")
                assert caller.recv(4) == b"line"


def message_sockets() -> None:
    context = kept("context", lambda: zmq.Context())
    with context.socket(zmq.PAIR) as near, context.socket(zmq.PAIR) as far:
        port = near.bind_to_random_port("tcp://127.0.0.1")
        far.connect(f"tcp://127.0.0.1:{port}")
        near.send(b"line")
        assert far.recv() == b"line"


def hierarchical_files() -> None:
    for _ in range(AT_ONCE):
        with h5py.File(Path(FOLDER.name) / "numbers.h5", "w") as file:
            file["numbers"] = [1, 2, 3]


def analytic_connections() -> None:
    for _ in range(AT_ONCE):
        with duckdb.connect(":memory:") as database:
            assert database.execute("select 1").fetchone() == (1,)


def tokenizers_that_go() -> None:
    for _ in range(AT_ONCE):
        made = tokenizers.Tokenizer(tokenizers.models.WordLevel({"line": 0}, unk_token="line"))  # noqa: S106 - a word of a vocabulary
        assert made.encode("line").ids == [0]


def a_tokenizer_that_stays() -> None:
    made = kept(
        "tokenizer",
        lambda: tokenizers.Tokenizer(tokenizers.models.WordLevel({"line": 0}, unk_token="line")),  # noqa: S106 - a word of a vocabulary
    )
    assert made.encode("line").ids == [0]


def amounts_that_go() -> None:
    assert sum(bdkpython.Amount.from_sat(each).to_sat() for each in range(AT_ONCE)) == sum(
        range(AT_ONCE)
    )


def amounts_in_a_bounded_cache() -> None:
    cache = kept(
        "cache", lambda: deque((bdkpython.Amount.from_sat(each) for each in range(20)), maxlen=20)
    )
    cache.extend(bdkpython.Amount.from_sat(each) for each in range(AT_ONCE))
    assert len(cache) == 20


def words_passed_to_calls() -> None:
    words = kept("words", lambda: bdkpython.Mnemonic(bdkpython.WordCount.WORDS12))
    for _ in range(AT_ONCE):
        bdkpython.DescriptorSecretKey(bdkpython.NetworkKind.TEST, words, None)


def keys_that_go() -> None:
    for _ in range(AT_ONCE):
        assert nostr_sdk.Keys.generate().public_key().to_hex()


def amounts_in_tasks() -> None:
    async def use(number: int) -> int:
        amount = bdkpython.Amount.from_sat(number)
        await asyncio.sleep(0)
        return amount.to_sat()

    async def main() -> list[int]:
        return await asyncio.gather(*map(use, range(AT_ONCE)))

    assert asyncio.run(main()) == list(range(AT_ONCE))


def calls_that_end() -> None:
    class Signer(nostr_sdk.AsyncNostrSigner):
        async def get_public_key_async(self) -> Any:
            await asyncio.sleep(0)

    async def main() -> None:
        for _ in range(AT_ONCE):
            with contextlib.suppress(nostr_sdk.NostrSdkError):  # it has no key
                await nostr_sdk.EventBuilder(nostr_sdk.Kind(1), "line").finalize_async(Signer())

    asyncio.run(main())


def lists_that_share_items() -> None:
    todo, item = TodoList(), TodoItem("shared")
    for _ in range(AT_ONCE):
        todo.add_item(item)
    assert len(todo.get_items()) == AT_ONCE


def journals_in_with() -> None:
    for _ in range(AT_ONCE):
        with Journal(Path(FOLDER.name) / "journal") as journal:
            journal.append("line")


def cursors_of_their_threads() -> None:
    def read() -> None:
        with Journal(Path(FOLDER.name) / "read") as journal, Cursor(journal):
            pass

    for _ in range(2):
        on_thread(read)


def threads_of_their_own_objects() -> None:
    for _ in range(2):
        on_thread(lambda: TodoList().add_text("line"))


def on_thread(work: Callable[[], object]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


PROGRAMS = (
    files_in_with,
    files_closed_at_the_end,
    connections_in_closing,
    connections_of_a_pool,
    cursors_of_one_connection,
    mappings,
    socket_pairs,
    server_of_connections,
    message_sockets,
    hierarchical_files,
    analytic_connections,
    tokenizers_that_go,
    a_tokenizer_that_stays,
    amounts_that_go,
    amounts_in_a_bounded_cache,
    words_passed_to_calls,
    keys_that_go,
    amounts_in_tasks,
    calls_that_end,
    lists_that_share_items,
    journals_in_with,
    cursors_of_their_threads,
    threads_of_their_own_objects,
)


def go() -> None:
    """A round of each."""
    for program in PROGRAMS:
        program()


def forget() -> None:
    for database in (KEPT["database"], *KEPT["pool"]):
        database.close()
    KEPT.pop("context").destroy()
    KEPT.clear()
    FOLDER.cleanup()
    agent.stop()  # ends its rows of the standard streams


if __name__ == "__main__":
    serve(
        {"go": go},
        forget=forget,
        segment=agent.start("stacks"),
        programs=[program.__name__ for program in PROGRAMS],
    )
