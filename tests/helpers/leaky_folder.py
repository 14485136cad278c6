"""A program and a test suite that leave native objects behind, in a folder of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

PROGRAM = """
import os, sys
KEPT = []
def remember(make):
    KEPT.append(make())
def amount():
    import bdkpython
    return bdkpython.Amount.from_sat(7)
def item():
    from inspector.runtime import TodoItem
    return TodoItem("kept")
def journal():
    from inspector.runtime import Journal
    return Journal("journal.txt")
def cycle():
    ring = [amount()]
    ring.append(ring)
for word in sys.argv[1:]:
    if word == "crash":
        os.abort()
    elif word == "fail":
        sys.exit(3)
    elif word == "leave":
        os._exit(0)
    elif word == "replace":
        os.execv("/bin/true", ["true"])
    elif word == "kill":
        os.kill(os.getpid(), 9)
    elif word == "raise":
        raise ValueError("mine")
    elif word == "import":
        import bdkpython
    elif word == "cycle":
        cycle()
    else:
        remember(globals()[word])
print("done")
"""
TESTS = """
import gc, pytest
import bdkpython, nostr_sdk
KEPT = []
def amount():
    return bdkpython.Amount.from_sat(7)
@pytest.fixture
def own():
    return amount()
@pytest.fixture(scope="module")
def shared():
    return amount()
@pytest.fixture(scope="module")
def leaking():
    KEPT.append(nostr_sdk.Keys.generate())
def test_clean(own, shared):
    ring = [own, shared, amount()]
    ring.append(ring)
def test_leak():
    KEPT.extend([amount(), amount()])
def test_allowed():
    KEPT.append(bdkpython.Mnemonic(bdkpython.WordCount.WORDS12))
def test_shared(shared):
    assert shared.to_sat() == 7
class TestInstance:
    def test_attribute(self, own):
        self.kept = own
def test_fails():
    held = amount()
    assert held is None
def test_none():
    pass
def test_last(leaking):
    pass
"""
PROJECT = """
[[tool.arc-inspector.leaks]]
type = "Mnemonic"
test = "*::test_allowed"
reason = "a cache, by design"
"""
PLAIN_TESTS = "import json\ndef test_one():\n    pass\ndef test_two():\n    pass\n"
"""A suite that makes no native object."""
REFUSED = """
[[proxy]]
class = "bdkpython.NoSuchClass"
handle = "h"
[[proxy]]
class = "json.dumps"
handle = "h"
"""
"""Declarations that name no class."""


def leaky_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write ``program.py``, ``test_suite.py`` and a project that allows one leak; change there."""
    (folder / "program.py").write_text(PROGRAM)
    (folder / "test_suite.py").write_text(TESTS)
    (folder / "pyproject.toml").write_text(PROJECT)
    monkeypatch.chdir(folder)
    return folder
