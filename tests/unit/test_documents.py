"""The documents lead somewhere, and the guide names all that there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

from inspector.commands.app import make_app
from inspector.model.columns import FIELD_LIST
from inspector.ui.shell.pane_list import PANES

DOCS = Path(__file__).resolve().parents[2] / "docs"
DECISIONS = sorted((DOCS / "decisions").glob("[0-9]*.md"))
TOP_PAGES = sorted(DOCS.parent.glob("*.md"))
PAGES = [*TOP_PAGES, *sorted(DOCS.rglob("*.md"))]
GUIDE = (DOCS / "guide.md").read_text(encoding="utf-8")


def links_of(page: Path) -> list[str]:
    """Files that a page leads to."""
    return re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS.parent)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    assert [link for link in links_of(page) if not (page.parent / link).exists()] == []


def test_the_rooms_of_the_architecture_exist() -> None:
    text = (DOCS.parent / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rooms = set(re.findall(r"`((?:inspector|native|tests|docs)/[\w./]+)`", text))
    assert len(rooms) > 10
    assert [room for room in sorted(rooms) if not (DOCS.parent / room).exists()] == []


def test_the_guide_leads_to_every_page() -> None:
    linked = {(DOCS / link).resolve() for link in links_of(DOCS / "guide.md")}
    assert [
        page.name for page in DOCS.glob("*.md") if page.name != "guide.md" and page not in linked
    ] == []


def test_the_guide_names_every_pane() -> None:
    assert [spec.title for spec in PANES if f"*{spec.title}*" not in GUIDE] == []


def test_the_guide_lists_every_field_of_the_filter() -> None:
    assert f"`{FIELD_LIST}`" in " ".join(GUIDE.split())


def test_the_guide_names_every_command() -> None:
    commands = get_command(make_app()).list_commands(None)  # type: ignore[attr-defined]
    assert "doctor" in commands
    assert [name for name in commands if f"`{name}`" not in GUIDE] == []


def test_decisions_are_numbered_without_a_gap_and_listed_each_once() -> None:
    numbers = [int(page.name[:4]) for page in DECISIONS]
    assert numbers == list(range(1, len(DECISIONS) + 1))
    assert links_of(DOCS / "decisions" / "README.md") == [page.name for page in DECISIONS]


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.name)
def test_a_decision_has_its_number_for_a_title_and_names_its_drawbacks(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# {page.name[:4]} ")
    assert [
        title
        for title in ("Context", "Options", "Outcome", "Drawbacks")
        if f"\n## {title}\n" not in text
    ] == []
