"""Numbers that name a handle, and conditions that end it."""

from __future__ import annotations

import pytest

from tests.unit.agent.adapters import wrapped
from tests.unit.agent.adapters.following import MODULE, Follower


@pytest.mark.parametrize("handle", [0, -1, None, False])
def test_what_stands_for_no_handle_gets_no_row(
    follower: Follower, monkeypatch: pytest.MonkeyPatch, handle: object
) -> None:
    monkeypatch.setattr(wrapped.Plain, "handle", handle, raising=False)
    follower.follow({"class": f"{MODULE}.Plain", "handle": "handle"})
    plain = wrapped.Plain()
    assert follower.live("Plain") == []
    del plain


@pytest.mark.parametrize("handle", [1, True, (1 << 64) - 1, -2, 1 << 63])
def test_any_other_number_is_a_handle(
    follower: Follower, monkeypatch: pytest.MonkeyPatch, handle: int
) -> None:
    monkeypatch.setattr(wrapped.Plain, "handle", handle, raising=False)
    follower.follow({"class": f"{MODULE}.Plain", "handle": "handle"})
    plain = wrapped.Plain()
    assert [row.data for row in follower.live("Plain")] == [handle % (1 << 64)]
    del plain


@pytest.mark.parametrize(
    ("released", "open_value", "closed_value"),
    [
        ("state", 0, 1),
        ("not state", 1, 0),
        ("state is None", 1, None),
        ("state == -7", 1, -7),
        ("state.missing raises", type("Has", (), {"missing": 1}), 1),
    ],
)
def test_each_form_of_condition_ends_the_row(
    follower: Follower, released: str, open_value: object, closed_value: object
) -> None:
    adapter = follower.follow(
        {
            "class": f"{MODULE}.Stubborn",
            "released": released.replace("state", "is_open"),
            "close": "close",
        }
    )
    stubborn = wrapped.Stubborn.__new__(wrapped.Stubborn)
    stubborn.is_open = open_value  # type: ignore[assignment]
    list(adapter.scan())
    assert len(follower.live("Stubborn")) == 1
    stubborn.is_open = closed_value  # type: ignore[assignment]
    stubborn.close()
    assert follower.live("Stubborn") == []
    assert follower.recorder.closed == 1
