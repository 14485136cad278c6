from __future__ import annotations

from PySide6.QtCore import QSettings

from inspector.ui.kit.theme import DARK, LIGHT
from inspector.ui.kit.type_colors import PLACES, TypeColors

NAMES = ("Event", "Keys", "Kind", "PublicKey", "Timestamp", "EventId", "Filter", "Relay")


def test_as_many_types_as_there_are_colours_differ() -> None:
    colors = TypeColors()
    assert len({colors.color(name, LIGHT).name() for name in NAMES}) == PLACES == len(NAMES)


def test_a_type_keeps_its_colour_in_later_sessions(settings: QSettings) -> None:
    first = TypeColors(settings)
    places = {name: first.place(name) for name in NAMES[:3]}
    later = TypeColors(settings)
    assert {name: later.place(name) for name in reversed(NAMES[:3])} == places
    assert later.place("Another") not in places.values()


def test_a_new_type_takes_a_colour_that_this_session_does_not_show(settings: QSettings) -> None:
    first = TypeColors(settings)
    for name in NAMES:
        first.place(name)
    later = TypeColors(settings)
    shown = {later.place("Event"), later.place("Keys")}
    assert later.place("Unseen") not in shown


def test_damaged_settings_are_no_colours(settings: QSettings) -> None:
    settings.setValue("type_colors", '{"Event": "red", "Keys": true')
    assert TypeColors(settings).color("Event", DARK).isValid()
    settings.setValue("type_colors", '{"Event": "red", "Keys": 1003}')
    assert TypeColors(settings).color("Keys", DARK).isValid()
