from __future__ import annotations

import pytest

from inspector.ui.kit.theme import DARK, LIGHT, THEMES, Theme, contrast

TEXTS = (
    "text",
    "text_quiet",
    "accent",
    "born",
    "dying",
    "waiting",
    "suspect",
    "unknown",
    "alarm",
    "live",
)
GROUNDS = ("window", "surface", "surface_alt", "hover")
PARTS = ("proxies", "in_flight", "native", "unexplained")
each_theme = pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@each_theme
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("text", TEXTS)
def test_every_text_can_be_read_on_every_ground(theme: Theme, text: str, ground: str) -> None:
    assert contrast(getattr(theme, text), getattr(theme, ground)) >= 4.5


@each_theme
@pytest.mark.parametrize("name", ["born", "dying", "waiting", "suspect"])
@pytest.mark.parametrize("text", ["", "text", "text_quiet"])
def test_marked_rows_can_be_read(theme: Theme, name: str, text: str) -> None:
    assert contrast(getattr(theme, text or name), getattr(theme, f"{name}_fill")) >= 4.5


@each_theme
def test_selected_and_primary_text_can_be_read(theme: Theme) -> None:
    assert contrast(theme.selection_text, theme.selection) >= 4.5
    assert contrast(theme.accent_text, theme.accent) >= 4.5


@each_theme
def test_parts_of_the_count_and_types_stand_out_from_the_ground(theme: Theme) -> None:
    for color in (*theme.categories, *(getattr(theme, part) for part in PARTS)):
        assert contrast(color, theme.surface) >= 4.5


@each_theme
def test_no_two_types_colours_are_the_same(theme: Theme) -> None:
    assert len(set(theme.categories)) == len(theme.categories)


def test_a_type_keeps_its_place_in_the_palette_in_both_themes_and_sessions() -> None:
    assert LIGHT.categories.index(LIGHT.category("Journal").name()) == DARK.categories.index(
        DARK.category("Journal").name()
    )
    assert LIGHT.category("Journal").name() == "#b34700"


@each_theme
def test_the_style_sheet_uses_only_tokens_that_exist(theme: Theme) -> None:
    from inspector.ui.kit.assets import style_sheet

    assert theme.accent in style_sheet(theme)
