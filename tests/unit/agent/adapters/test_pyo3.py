"""Classes of Rust extensions, followed without a declaration. With the real recorder."""

from __future__ import annotations

import collections
import gc
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import pydantic_core
import pytest
import rpds
import tokenizers
from pydantic_core import core_schema
from tokenizers import models

from inspector.agent.adapters.declared import DeclaredAdapter
from inspector.agent.adapters.protocol import Following
from inspector.agent.adapters.pyo3 import Pyo3Adapter
from inspector.agent.adapters.pyo3.adapter import BLIND
from inspector.agent.adapters.pyo3.classes import packages_of_library
from inspector.agent.adapters.stacks import NativeStacks
from inspector.runtime.sites import OWN_MODULES
from inspector.vocabulary import Level
from inspector.wire import ffi, lib
from inspector.wire.declaration_files import Declared
from inspector.wire.declarations import parse_declarations
from inspector.wire.hooks import hooks
from inspector.wire.schema import SITE_FRAMES
from tests.helpers.targets import ROOT

TYPE_BYTES = 408
CHANGING = {0, 168, 264, 336, 344, 352, 360, 368, 384}
"""Reference count, flags, and what the interpreter itself keeps by class: dict, method order,
subclasses, weak references, caches."""
POLLS = 300
"""More than a search takes in a process with the modules of all tests; the search holds classes."""
CLASSES = (rpds.HashTrieMap, rpds.List, tokenizers.Tokenizer, pydantic_core.SchemaValidator)


def slots(cls: type) -> list[int]:
    """The words of a type that only its maker and a hook write."""
    words = ffi.cast("uint64_t *", id(cls))
    return [int(words[at // 8]) for at in range(0, TYPE_BYTES, 8) if at not in CHANGING]


def rows(adapter: Pyo3Adapter) -> dict[str, int]:
    """Rows by class, with the class's origin."""
    return {name: count for name, count in adapter.rows().items() if count}


@pytest.fixture
def level() -> Iterator[None]:
    before = lib.ai_level()
    lib.ai_set_level(Level.HISTORY)
    gc.collect()
    yield
    lib.ai_set_level(before)


@pytest.fixture
def adapter(level: None) -> Iterator[Pyo3Adapter]:
    before, handles = [slots(cls) for cls in CLASSES], lib.ai_live_handles()
    adapter = Pyo3Adapter()
    adapter.attach()
    assert [slots(cls) for cls in CLASSES] == before
    list(adapter.scan())
    assert [slots(cls) for cls in CLASSES] != before
    yield adapter
    adapter.detach()
    assert [slots(cls) for cls in CLASSES] == before
    assert lib.ai_live_handles() == handles


def test_each_birth_and_end_is_seen_also_of_objects_that_native_code_makes(
    adapter: Pyo3Adapter,
) -> None:
    before = rows(adapter).get("rpds.HashTrieMap", 0)
    kept = [rpds.HashTrieMap({"a": at}) for at in range(100)]
    kept += [each.insert("b", 2) for each in kept]
    assert rows(adapter)["rpds.HashTrieMap"] == before + 200
    del kept[:150]
    assert rows(adapter)["rpds.HashTrieMap"] == before + 50
    kept.clear()
    assert rows(adapter).get("rpds.HashTrieMap", 0) == before


def test_objects_that_live_already_are_found_one_by_one(level: None) -> None:
    kept = [rpds.Queue([at]) for at in range(700)]
    dead = [rpds.Queue([at]) for at in range(3000)]
    del dead
    adapter = Pyo3Adapter()
    adapter.attach()
    list(adapter.scan())
    assert rows(adapter)["rpds.Queue"] == 700
    row = adapter.boundary.proxy_row(kept[5])
    assert row
    assert adapter.boundary.python_object(row) is kept[5]
    assert list(adapter.scan())[-1] == 0
    del kept[:699]
    assert rows(adapter)["rpds.Queue"] == 1
    adapter.detach()
    kept.clear()


def test_a_search_that_may_read_no_memory_says_that_older_objects_have_no_rows(
    level: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Blind:
        def __init__(self, owners: object) -> None: ...

        def step(self) -> tuple[int, bool]:
            return 0, False

        def is_blind(self) -> bool:
            return True

    monkeypatch.setattr(hooks, "Search", Blind)
    kept = rpds.Queue([1])
    adapter = Pyo3Adapter()
    adapter.attach()
    list(adapter.scan())
    assert rows(adapter) == {}
    assert adapter.following().refused == (BLIND,)
    adapter.detach()
    del kept


def test_a_search_that_reads_says_nothing(adapter: Pyo3Adapter) -> None:
    assert adapter.following().refused == ()


def test_an_object_of_a_row_is_held_by_its_holders_and_not_closed(adapter: Pyo3Adapter) -> None:
    held = {"here": pydantic_core.SchemaValidator(core_schema.int_schema())}
    row = adapter.boundary.proxy_row(held["here"])
    assert adapter.owns(row)
    assert adapter.close(row, although_held=True, preview=False).outcome == "refused"
    assert any("here" in holder for holder in adapter.referrers(row))
    held.clear()
    assert not adapter.owns(row)


def test_classes_of_one_name_stay_apart_and_an_abi3_library_is_followed(
    adapter: Pyo3Adapter,
) -> None:
    kept = [tokenizers.models.WordPiece(), tokenizers.decoders.WordPiece()]
    found = rows(adapter)
    assert found["tokenizers.models.WordPiece"] == 1
    assert found["tokenizers.decoders.WordPiece"] == 1
    kept.clear()


def test_a_class_that_the_program_derives_is_followed_and_not_kept_alive(
    adapter: Pyo3Adapter,
) -> None:
    cls = derived_class()
    before = slots(cls)
    early = cls()
    adapter.look()
    for _ in range(POLLS):
        adapter.poll()
    assert slots(cls) != before
    late = [cls() for _ in range(6)]
    assert rows(adapter)[f"{__name__}.Derived"] == 7
    del early, late
    assert f"{__name__}.Derived" not in rows(adapter)
    reference = weakref.ref(cls)
    del cls
    gc.collect()
    assert reference() is None
    again = derived_class()
    assert not rows(adapter).get(f"{__name__}.Derived")
    again()


def test_a_derived_class_has_its_own_slots_after_detach(level: None) -> None:
    cls = derived_class()
    before, adapter = slots(cls), Pyo3Adapter()
    adapter.attach()
    list(adapter.scan())
    kept = cls()
    assert slots(cls) != before
    adapter.detach()
    assert slots(cls) == before
    del kept


def derived_class() -> Any:
    """A class that Python code derives from one of a library."""
    return type("Derived", (models.Model,), {})


def test_detach_in_the_middle_of_lives_leaves_them_as_they_are(level: None) -> None:
    adapter = Pyo3Adapter()
    adapter.attach()
    list(adapter.scan())
    kept = [rpds.List([at]) for at in range(50)]
    adapter.detach()
    kept += [rpds.Queue([1])]
    kept.clear()
    adapter = Pyo3Adapter()
    adapter.attach()
    list(adapter.scan())
    assert "rpds.Queue" not in rows(adapter)
    kept.append(rpds.Queue([1]))
    assert rows(adapter)["rpds.Queue"] == 1
    kept.clear()
    adapter.detach()


LEAVING = """
import rpds
from inspector.agent.adapters.pyo3 import Pyo3Adapter
from inspector.vocabulary import Level
from inspector.wire import lib
lib.ai_set_level(Level.HISTORY)
adapter = Pyo3Adapter()
adapter.attach()
list(adapter.scan())
kept = [rpds.Queue([1])]
assert adapter.rows()["rpds.Queue"] == 1
adapter.leave()
kept.append(rpds.Queue([1]))
kept.clear()
assert adapter.rows() == {}
adapter.detach()
"""


def test_an_adapter_that_leaves_holds_no_class_and_follows_none() -> None:
    """In a process of its own: rows stay as they are when an interpreter ends."""
    done = subprocess.run(
        [sys.executable, "-c", LEAVING],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_nothing_is_recorded_while_the_level_is_off(adapter: Pyo3Adapter) -> None:
    lib.ai_set_level(Level.OFF)
    kept = [rpds.Queue([1]) for _ in range(3)]
    lib.ai_set_level(Level.HISTORY)
    assert rows(adapter).get("rpds.Queue", 0) == 0
    list(adapter.scan())
    assert rows(adapter)["rpds.Queue"] == 3
    kept.clear()


def test_a_class_of_which_a_declaration_says_more_is_left_to_it(adapter: Pyo3Adapter) -> None:
    declared = Declared(parse_declarations([{"class": "rpds.Queue", "name": "Line"}], "a.toml")[0])
    other = DeclaredAdapter(declared, hosts=(adapter,))
    adapter.claimed = other.followed
    before = rpds.Queue()
    list(adapter.scan())
    assert rows(adapter)["rpds.Queue"] == 1
    other.attach()
    adapter.look()
    assert "rpds.Queue" not in rows(adapter)
    made = rpds.Queue()
    assert (other.boundary.proxy_row(made) != 0, adapter.boundary.proxy_row(made)) == (True, 0)
    other.detach()
    adapter.look()
    list(adapter.scan())
    assert rows(adapter)["rpds.Queue"] == 2
    del before, made


def test_a_class_that_a_declaration_only_names_has_every_row_that_it_has_without(
    adapter: Pyo3Adapter,
) -> None:
    declared = Declared(parse_declarations([{"class": "rpds.Queue"}], "a.toml")[0])
    other = DeclaredAdapter(declared, hosts=(adapter,))
    other.attach()
    before = [rpds.Queue([at]).enqueue(2) for at in range(30)]
    (state,) = other.states()["declared"]
    assert (state["rows"], state["followed_by"], state["trouble"]) == (30, "pyo3", "")
    other.detach()
    assert rows(adapter)["rpds.Queue"] == 30
    before.clear()


def test_a_destructor_that_calls_its_base_s_is_passed_on_once_to_each() -> None:
    adapter = Pyo3Adapter()
    own = {cls: instances() for cls in (collections.OrderedDict, dict)}
    before = {cls: slots(cls) for cls in own}
    for cls, its in own.items():
        hooks.follow_class(cls, its)
    for _ in range(100):
        made = collections.OrderedDict(a=[1])
        nested = collections.OrderedDict(a=made, b={"c": made})
        del made, nested
    for cls in own:
        hooks.leave_class(cls)
    assert {cls: slots(cls) for cls in own} == before
    for its in own.values():
        its.forget()
    assert adapter.following() == Following()


def instances() -> Any:
    """Rows as the adapter makes them."""
    made = hooks.Instances(
        type_index=0,
        closes=False,
        handle=None,
        released=None,
        test="",
        number=0,
        stacks=NativeStacks(OWN_MODULES).native,
        number_of=None,
        note=None,
        fail=None,
    )
    made.describe("Some", "some")
    return made


def test_a_site_is_told_without_python_code_as_it_is_told_with_it() -> None:
    stacks = NativeStacks(OWN_MODULES, packages_of_library(pydantic_core.__file__, "rpds"))

    def inner(level: int, frames: int) -> tuple[int, int]:
        return stacks.native.quietly(level), stacks.native.here(frames)

    for level, frames in ((Level.HISTORY, 1), (Level.STACKS, SITE_FRAMES)):
        for _ in range(2):
            quiet, usual = inner(level, frames)
            assert quiet == usual != 0
    assert stacks.native.quietly(Level.COUNT) == 0


@pytest.mark.parametrize("rounds", [3, pytest.param(200, marks=pytest.mark.soak)])
def test_births_on_eight_threads_survive_attach_and_detach(level: None, rounds: int) -> None:
    before, stop = [slots(cls) for cls in CLASSES], threading.Event()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    made = [0] * 8

    def work(number: int) -> None:
        kept: collections.deque[Any] = collections.deque(maxlen=50)
        while not stop.is_set():
            kept.append(rpds.HashTrieMap({"a": number}).insert("b", 2))
            kept.append(models.BPE())
            made[number] += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(rounds):
            adapter, begun = Pyo3Adapter(), sum(made)
            adapter.attach()
            for _ in adapter.scan():
                pass
            while sum(made) < begun + 100:
                adapter.poll()
            adapter.detach()
    finally:
        sys.setswitchinterval(interval)
        stop.set()
        for thread in threads:
            thread.join()
    assert [slots(cls) for cls in CLASSES] == before
