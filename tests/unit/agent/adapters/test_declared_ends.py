"""The end of an instance of a declared class: it is asked before its end.

Otherwise nothing is claimed.
"""

from __future__ import annotations

import gc
import io
import mmap
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from inspector.vocabulary import Resource
from tests.unit.agent.adapters.following import Follower

CONNECTION = {"class": "sqlite3.Connection", "released": "total_changes raises", "close": "close"}
MAPPING = {"class": "mmap.mmap", "released": "closed", "close": "close"}
FILE = {
    "class": "_io.FileIO",
    "name": "file",
    "handle": "fileno()",
    "released": "closed",
    "close": "close",
}
CLOSED, NEVER, UNKNOWN = Resource.CLOSED, Resource.NEVER_CLOSED, Resource.UNKNOWN


class Lamp:
    """Closed by a method of any name."""

    def __init__(self) -> None:
        self.is_off = False

    def close(self) -> None:
        self.is_off = True

    def put_out(self) -> None:
        self.is_off = True

    @property
    def is_dark(self) -> bool:
        return self.is_off


class Clinging(Lamp):
    """Hands itself out when it is asked."""

    taken: ClassVar[list[Clinging]] = []

    @property
    def is_dark(self) -> bool:
        self.taken.append(self)
        return self.is_off


class Finalised(Lamp):
    def __del__(self) -> None:
        self.put_out()


class Returning(Lamp):
    """Comes back when it ends, once."""

    back: ClassVar[list[Returning]] = []

    def __del__(self) -> None:
        self.put_out()
        self.back.append(self)


class OwnConnection(sqlite3.Connection):
    pass


class OwnFile(io.FileIO):
    pass


class OwnMapping(mmap.mmap):
    """With an attribute of Python's that has been deleted when its base is asked."""

    def __init__(self, *_: Any) -> None:
        self.is_whole = True

    @property
    def closed(self) -> bool:
        return not self.is_whole


LAMP = {"class": f"{__name__}.Lamp", "released": "is_off", "close": "close"}
ASKED = {**LAMP, "released": "is_dark"}


def ends(follower: Follower, name: str) -> Counter[Resource]:
    """How the rows of a type ended."""
    return Counter(
        Resource(row.resource)
        for row in follower.recorder.table_rows()
        if row.type == name and not row.is_live
    )


@pytest.mark.parametrize("cls", [sqlite3.Connection, OwnConnection])
def test_a_connection_that_was_closed_is_not_accused(
    follower: Follower, cls: type[sqlite3.Connection]
) -> None:
    follower.follow(CONNECTION)
    both = [cls(":memory:"), cls(":memory:")]
    both[0].close()
    both.clear()
    gc.collect()  # an open one refers to itself
    assert ends(follower, "Connection") == {CLOSED: 1, NEVER: 1}


def test_a_connection_that_another_thread_closed_is_not_accused(follower: Follower) -> None:
    follower.follow(CONNECTION)
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    closer = threading.Thread(target=connection.close)
    closer.start()
    closer.join()
    del closer, connection
    assert ends(follower, "Connection") == {CLOSED: 1}


def test_files_and_mappings_closed_by_with_are_not_accused(
    follower: Follower, tmp_path: Path
) -> None:
    path = tmp_path / "page"
    path.write_bytes(b"x" * 4096)
    follower.follow(MAPPING, FILE)
    with (
        path.open("rb") as opened,
        mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
    ):
        assert mapped[:1] == b"x"
    del opened, mapped
    mmap.mmap(-1, 4096)
    assert ends(follower, "mmap") == {CLOSED: 1, NEVER: 1}
    assert ends(follower, "file")[NEVER] == 0
    assert ends(follower, "file")[CLOSED] >= 1


@pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
def test_a_derived_file_that_its_finaliser_closes_is_neither_closed_nor_accused(
    follower: Follower,
) -> None:
    follower.follow(FILE)
    OwnFile(__file__).close()
    OwnFile(__file__)
    assert ends(follower, "file") == {UNKNOWN: 2}


def test_what_a_derived_class_says_of_itself_is_not_asked_when_half_of_it_is_gone(
    follower: Follower,
) -> None:
    follower.follow(MAPPING)
    OwnMapping(-1, 4096)
    assert ends(follower, "mmap") == {UNKNOWN: 1}


@pytest.mark.parametrize("declared", [LAMP, ASKED])
def test_a_class_of_python_is_asked_before_it_goes(
    follower: Follower, declared: dict[str, Any]
) -> None:
    follower.follow(declared)
    Lamp().put_out()
    Lamp().close()
    Lamp()
    assert ends(follower, "Lamp") == {CLOSED: 2, NEVER: 1}


def test_garbage_is_asked_when_the_collector_finds_it(follower: Follower) -> None:
    follower.follow(ASKED)
    for put_out in (Lamp.put_out, id):
        lamp: Any = Lamp()
        lamp.itself = lamp
        put_out(lamp)
        del lamp
    gc.collect()
    assert ends(follower, "Lamp") == {CLOSED: 1, NEVER: 1}


def test_garbage_whose_finaliser_may_close_it_is_not_accused(follower: Follower) -> None:
    follower.follow(LAMP)
    lamp: Any = Finalised()
    lamp.itself = lamp
    del lamp
    gc.collect()
    Finalised()
    assert ends(follower, "Lamp") == {UNKNOWN: 1, CLOSED: 1}


def test_an_instance_that_was_closed_and_came_back_is_not_accused(follower: Follower) -> None:
    follower.follow(LAMP)
    Returning()
    assert len(Returning.back) == 1
    Returning.back.clear()
    assert ends(follower, "Lamp") == {CLOSED: 1}


def test_an_instance_that_is_taken_while_it_is_asked_harms_nobody(follower: Follower) -> None:
    follower.follow(ASKED)
    for _ in range(100):
        Clinging()
    kept = len(Clinging.taken)
    Clinging.taken.clear()
    gc.collect()
    assert kept >= 100
    assert ends(follower, "Lamp").total() == 100


def test_where_nothing_says_whether_it_is_closed_nothing_is_claimed(follower: Follower) -> None:
    follower.follow({"class": f"{__name__}.Lamp", "close": "close"})
    Lamp().put_out()
    assert ends(follower, "Lamp") == {UNKNOWN: 1}


def test_an_exception_on_its_way_passes_an_end(follower: Follower) -> None:
    follower.follow(CONNECTION, LAMP)

    def fail(make: Callable[[], Any]) -> None:
        made = make()
        made.close()
        raise LookupError("on its way")

    for make in (lambda: sqlite3.connect(":memory:"), Lamp):
        with pytest.raises(LookupError, match="on its way"):
            fail(make)
    gc.collect()
    assert ends(follower, "Connection") == {CLOSED: 1}
    assert ends(follower, "Lamp") == {CLOSED: 1}
