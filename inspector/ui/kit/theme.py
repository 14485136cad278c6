"""Colours, fonts and their meaning: one table of tokens with a value for each theme.

Apart from the widgets so that every pane, plot and icon draws from the same table and a test can
prove the contrast. A token has one meaning and never stands without a second cue (icon or text).
GUI thread only, but for ``Theme`` itself, which is frozen.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, fields
from typing import Final

from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontInfo


@dataclass(frozen=True, slots=True)
class Theme:
    """The tokens of one theme; each is ``#rrggbb``."""

    name: str
    """``light`` or ``dark``."""
    window: str
    """Behind the panes."""
    surface: str
    """Panes, tables, plots."""
    surface_alt: str
    """Group rows, headers, chips."""
    hover: str
    line: str
    """Hairlines between things; carries no meaning."""
    text: str
    text_quiet: str
    """What is normal and secondary."""
    accent: str
    """Focus, links, the one primary button."""
    accent_text: str
    """Text on ``accent``."""
    selection: str
    selection_text: str
    born: str
    """Text and icon of a row that is new."""
    born_fill: str
    dying: str
    """Text and icon of a row that just died."""
    dying_fill: str
    waiting: str
    """Pending closes, and a target that is hung."""
    waiting_fill: str
    suspect: str
    suspect_fill: str
    unknown: str
    alarm: str
    """Something was lost, or failed."""
    live: str
    """A target that answers."""
    proxies: str
    """Part of the count: the host language's wrappers."""
    in_flight: str
    """Part of the count: calls that run now."""
    native: str
    """Part of the count: references that native code holds."""
    unexplained: str
    """Part of the count: nobody known holds it (drawn hatched)."""
    categories: tuple[str, ...]
    """Colour-blind safe; see ``category``."""

    @property
    def dark(self) -> bool:
        """Light text on a dark ground."""
        return self.name == "dark"

    def color(self, token: str, alpha: int = 255) -> QColor:
        """The token as a colour; ``alpha`` 0 to 255."""
        color = QColor(getattr(self, token))
        color.setAlpha(alpha)
        return color

    def category(self, name: str) -> QColor:
        """The colour of a type, the same for one name in every session."""
        return QColor(self.categories[zlib.crc32(name.encode()) % len(self.categories)])

    def tokens(self) -> dict[str, str]:
        """All single-colour tokens by name, for the style sheet."""
        return {
            f.name: getattr(self, f.name)
            for f in fields(self)
            if f.name not in ("name", "categories")
        }


LIGHT: Final = Theme(
    name="light",
    window="#f3f4f6",
    surface="#ffffff",
    surface_alt="#eef1f4",
    hover="#edf3fb",
    line="#d5dae1",
    text="#1b1f24",
    text_quiet="#56606d",
    accent="#0b5cb8",
    accent_text="#ffffff",
    selection="#d3e4fa",
    selection_text="#10243e",
    born="#0a6630",
    born_fill="#dff5e5",
    dying="#a8231b",
    dying_fill="#fbe4e2",
    waiting="#824700",
    waiting_fill="#fff0d4",
    suspect="#98117a",
    suspect_fill="#fbe3f4",
    unknown="#5b6571",
    alarm="#a8231b",
    live="#00695c",
    proxies="#0b5cb8",
    in_flight="#00796b",
    native="#6b3fbf",
    unexplained="#6b7480",
    categories=(
        "#0072b2",
        "#b34700",
        "#00775a",
        "#a2457f",
        "#2f6f8f",
        "#8a6100",
        "#5b57b8",
        "#5d6d3a",
    ),
)

DARK: Final = Theme(
    name="dark",
    window="#14171b",
    surface="#1b1f24",
    surface_alt="#252a31",
    hover="#262e38",
    line="#39414c",
    text="#e6e9ed",
    text_quiet="#a3acb7",
    accent="#6cb0ff",
    accent_text="#0b1b2e",
    selection="#264468",
    selection_text="#f2f6fb",
    born="#6fd68d",
    born_fill="#173424",
    dying="#ff958c",
    dying_fill="#422120",
    waiting="#f4b860",
    waiting_fill="#3b2d14",
    suspect="#f493d9",
    suspect_fill="#3e1f37",
    unknown="#9ea7b3",
    alarm="#ff958c",
    live="#52d3c1",
    proxies="#6cb0ff",
    in_flight="#52d3c1",
    native="#c6a7f8",
    unexplained="#9ea7b3",
    categories=(
        "#56b4e9",
        "#f08c4b",
        "#2fc29a",
        "#de94bf",
        "#8fc7d8",
        "#e3b341",
        "#a9a5f2",
        "#b3c47a",
    ),
)

THEMES: Final = (LIGHT, DARK)


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two colours (``#rrggbb``), 1 to 21, as WCAG 2.1 defines it."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: str) -> float:
    channels = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ui_font(points: float = 9.5, *, bold: bool = False) -> QFont:
    """The window's font with tabular figures.

    Sizes in use: 9.5 (text) and 13 (vital signs, headings).
    """
    family = "Inter" if "Inter" in QFontDatabase.families() else QFontInfo(QFont()).family()
    font = QFont(family)
    font.setPointSizeF(points)
    font.setBold(bold)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font
