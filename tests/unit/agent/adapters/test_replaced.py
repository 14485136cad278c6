from __future__ import annotations

from inspector.agent.adapters.replaced import Replaced


class Plain:
    def method(self) -> str:
        return "own"


def test_undoing_restores_the_very_functions() -> None:
    before = dict(vars(Plain))
    replaced = Replaced()
    replaced.replace(Plain, "method", lambda self: "hook")
    replaced.replace(Plain, "added", lambda self: "hook")
    assert Plain().method() == "hook"

    replaced.undo()

    assert dict(vars(Plain)) == before
    assert list(vars(Plain)) == list(before)


def test_a_function_that_someone_else_set_over_a_hook_stays() -> None:
    original = Plain.method
    replaced = Replaced()
    replaced.replace(Plain, "method", lambda self: original(self) + ", hooked")
    hook = Plain.method
    Plain.method = lambda self: hook(self) + ", patched"  # type: ignore[method-assign]
    try:
        replaced.undo()
        assert Plain().method() == "own, hooked, patched"
    finally:
        Plain.method = original  # type: ignore[method-assign]
