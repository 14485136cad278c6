"""A program with one defect, or its sound sibling: ``defects.py DEFECT bad|good``.

Each step ``go`` is one round of the program; the test decides how many rounds there are. Each class
describes its defect.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import importlib
import os
import resource
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from stepping import serve

from inspector import agent
from inspector.errors import ClosedError
from inspector.runtime import Cursor, Journal, TodoItem, TodoList


class Program:
    """One round a call of ``go``; ``forget`` releases everything."""

    def __init__(self, is_bad: bool) -> None:
        self.is_bad = is_bad
        self.kept: list[Any] = []
        self.folder = tempfile.TemporaryDirectory()

    def go(self) -> None:
        raise NotImplementedError

    def forget(self) -> None:
        for each in self.kept:
            if isinstance(each, Journal):
                each.close()
        self.kept.clear()
        self.folder.cleanup()

    def journal(self) -> Journal:
        return Journal(Path(self.folder.name) / "journal")


class Leak(Program):
    """Bad: the objects of a round are kept for good. Good: only the newest round's are kept."""

    def go(self) -> None:
        if not self.is_bad:
            self.kept.clear()
        self.kept.extend(TodoItem("kept") for _ in range(10))


class Drift(Program):
    """Bad: each round a native list takes another reference to the same item.

    Good: the list is dropped each time.
    """

    def __init__(self, is_bad: bool) -> None:
        super().__init__(is_bad)
        self.item, self.todo = TodoItem("shared"), TodoList()
        self.kept = [self.item, self.todo]

    def go(self) -> None:
        if not self.is_bad:
            self.todo = TodoList()
            self.kept[1] = self.todo
        self.todo.add_item(self.item)
        assert self.item.text == "shared"

    def forget(self) -> None:
        del self.item, self.todo
        super().forget()


class Negative(Program):
    """Bad: the strong count of an object with two handles is 1, as after a release too many.

    Good: it is 2.
    """

    def __init__(self, is_bad: bool) -> None:
        super().__init__(is_bad)
        first = TodoItem("twice")
        self.kept = [first, first.clone()]
        self.strong: Any = None

    def go(self) -> None:
        pass

    def spoil(self, address: str) -> None:
        if self.is_bad:
            self.strong = ctypes.c_size_t.from_address(int(address))
            self.strong.value -= 1

    def forget(self) -> None:
        if self.strong is not None:
            self.strong.value += 1
        super().forget()


class Unclosed(Program):
    """Bad: each round drops an open journal. Good: it closes it."""

    def go(self) -> None:
        journal = self.journal()
        if not self.is_bad:
            journal.close()


class Pending(Program):
    """Bad: a close waits for a call that does not end until the program does.

    Good: the call has ended.
    """

    def __init__(self, is_bad: bool) -> None:
        super().__init__(is_bad)
        self.threads: list[threading.Thread] = []

    def go(self) -> None:
        journal = self.journal()
        self.kept = [journal]
        if self.is_bad:
            slow = threading.Thread(
                target=journal.append_slowly, args=("line",), kwargs={"millis": 1500}, name="slow"
            )
            slow.start()
            self.threads.append(slow)
            while not journal.pending_reason():
                pass
        journal.close()

    def forget(self) -> None:
        for each in self.threads:
            each.join()
        self.kept.clear()
        super().forget()


class Owner(Program):
    """Bad: a thread ends and leaves a cursor open that only it may close.

    Good: it closes it first.
    """

    def go(self) -> None:
        thread = threading.Thread(target=self._open, name="reader")
        thread.start()
        thread.join()

    def _open(self) -> None:
        journal = self.journal()
        cursor = Cursor(journal)
        if self.is_bad:
            self.kept += [cursor, journal]
        else:
            cursor.close()
            journal.close()

    def forget(self) -> None:
        for each in self.kept:
            each.close()
        self.kept.clear()
        super().forget()


class Elsewhere(Program):
    """Bad: a cursor is released by another thread than its owner, which lives on.

    Good: by its owner.
    """

    def __init__(self, is_bad: bool) -> None:
        super().__init__(is_bad)
        self.done, self.opened = threading.Event(), threading.Event()
        self.owner = threading.Thread(target=self._own, name="reader")

    def go(self) -> None:
        if self.owner.is_alive():
            return
        self.owner.start()
        self.opened.wait()
        self.kept.clear()

    def _own(self) -> None:
        journal = self.journal()
        cursor = Cursor(journal)
        if self.is_bad:
            self.kept.append(cursor)
        else:
            cursor.close()
        del cursor
        self.opened.set()
        self.done.wait()
        journal.close()

    def forget(self) -> None:
        self.done.set()
        if self.owner.ident is not None:
            self.owner.join()
        super().forget()


class Refused(Program):
    """Bad: a closed journal is written to. Good: an open journal is written to."""

    def go(self) -> None:
        journal = self.journal()
        if self.is_bad:
            journal.close()
        try:
            journal.append("line")
        except ClosedError:
            return
        journal.close()


class Orphan(Program):
    """Bad: the item that a list made and returned is kept and never used.

    Good: its text is read.
    """

    def __init__(self, is_bad: bool) -> None:
        super().__init__(is_bad)
        self.kept = [TodoList()]

    def go(self) -> None:
        item = self.kept[0].add_text("made natively")
        if not self.is_bad:
            assert item.text == "made natively"
        self.kept.append(item)


class Descriptors(Program):
    """Bad: nearly all file descriptors that the process may have are open. Good: few are."""

    def __init__(self, is_bad: bool) -> None:
        super().__init__(is_bad)
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        self.open = [os.dup(0) for _ in range(225 if is_bad else 1)]

    def go(self) -> None:
        pass

    def forget(self) -> None:
        for each in self.open:
            os.close(each)
        super().forget()


class Late(Program):
    """Bad: an asynchronous call waits for a Python method that does not return.

    Good: the method has returned.
    """

    def __init__(self, is_bad: bool) -> None:
        super().__init__(is_bad)
        self.package = importlib.import_module("nostr_sdk")
        self.entered = threading.Event()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="loop")
        self.thread.start()

    def go(self) -> None:
        call = asyncio.run_coroutine_threadsafe(self._sign(), self.loop)
        if self.is_bad:
            self.entered.wait()
        else:
            call.result()

    async def _sign(self) -> None:
        async def get_public_key_async(signer: Any) -> None:
            self.entered.set()
            if self.is_bad:
                await asyncio.get_running_loop().create_future()

        signer = type(
            "Signer",
            (self.package.AsyncNostrSigner,),
            {"get_public_key_async": get_public_key_async},
        )()
        with contextlib.suppress(self.package.NostrSdkError):  # it has no key
            await self.package.EventBuilder(self.package.Kind(1), "x").finalize_async(signer)

    async def _cancel(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for each in others:
            each.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def forget(self) -> None:
        asyncio.run_coroutine_threadsafe(self._cancel(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()
        super().forget()


ALL = (
    Leak,
    Drift,
    Negative,
    Unclosed,
    Pending,
    Owner,
    Elsewhere,
    Refused,
    Orphan,
    Descriptors,
    Late,
)
PROGRAMS = {each.__name__.casefold(): each for each in ALL}


def main() -> None:
    segment = str(agent.start(level="history"))
    program = PROGRAMS[sys.argv[1]](sys.argv[2] == "bad")
    steps: dict[str, Any] = {"go": program.go}
    if isinstance(program, Negative):
        steps["spoil"] = program.spoil
    serve(steps, forget=program.forget, segment=segment)


if __name__ == "__main__":
    main()
