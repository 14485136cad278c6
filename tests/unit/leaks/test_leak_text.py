"""The text of a leak: its frames, its counts, its holder."""

from __future__ import annotations

from inspector.leaks.leak import Leak, folded, leak_of, leaks_text
from inspector.leaks.live import counts_text

LIBRARY = "/venv/lib/python3.11/site-packages/click/core.py"
STANDARD = "/usr/lib/python3.11/contextlib.py"


def test_frames_of_one_library_are_one_line() -> None:
    stack = (
        "app.py:3 in make",
        f"{LIBRARY}:10 in invoke",
        f"{LIBRARY}:20 in main",
        f"{STANDARD}:81 in inner",
        "app.py:9 in run",
        "<frozen importlib._bootstrap>:241 in _call",
        "<frozen importlib._bootstrap>:690 in _load",
    )
    assert folded(stack) == [
        "app.py:3 in make",
        "… 2 frames of click",
        f"{STANDARD}:81 in inner",
        "app.py:9 in run",
        "… 2 frames of the standard library",
    ]


def test_a_leak_is_told_with_its_counts_path_and_cycle() -> None:
    leak = Leak(
        "TodoList",
        2,
        ("app.py:3 in make",),
        counts=counts_text(1, None),
        path=("global app.KEPT", "[0] of a list of 2"),
        cycle=("foreign object 1 — keeps alive", "app.Screen — attribute shown"),
        cut="attribute shown of app.Screen",
        runs=3,
    )
    assert leaks_text([leak]).splitlines() == [
        "  2 × TodoList, in each of 3 runs",
        "      app.py:3 in make",
        "      one of them: 1 proxy, native references not known",
        "      held by global app.KEPT",
        "        → [0] of a list of 2",
        "      in a cycle across the boundary:",
        "        foreign object 1 — keeps alive",
        "        app.Screen — attribute shown",
        "      cut it at: attribute shown of app.Screen",
    ]
    assert leak_of(leak.value()) == leak


def test_a_leak_without_a_path_says_why() -> None:
    text = leaks_text([Leak("Amount", 1, (), note="no root was found")])
    assert text.splitlines()[-1] == "      holder: no root was found"
