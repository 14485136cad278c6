"""The README as a registry shows it: its links lead to the repository."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
RELATIVE: Final = re.compile(r"\]\((?!https?:|#|mailto:)([^)]+)\)")


def long_description() -> str:
    """The text of README.md with absolute links."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    base = project["urls"]["Repository"].rstrip("/")
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return RELATIVE.sub(lambda found: f"]({base}/{found[1]})", text)
