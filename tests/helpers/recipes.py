"""The recipes of `CONTRIBUTING.md`, read as a newcomer would follow them.

A recipe is a heading of the third level under "Recipes" with steps in this form::

    New file `inspector/model/findings/crowded.py`:

    (a block of code: the whole file)

    In `inspector/model/findings/judge.py`, after `        CloseCoverage(),`:

    (a block of code: the lines to add)

    Check:

    (a block of commands, each of which has to end with status 0)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

NEW = re.compile(r"New file `([^`]+)`")
AFTER = re.compile(r"In `([^`]+)`, after `([^`]+)`")
BLOCK = re.compile(r"^([^\n]+):\n\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Step:
    """One change of a recipe.

    Attributes:
        file: path below the root of the tree.
        after: the line that the text follows; empty for a new file.
        text: the lines to write, with the last newline.
    """

    file: str
    after: str
    text: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """A worked example of one kind of change."""

    title: str
    steps: tuple[Step, ...]
    checks: tuple[str, ...]

    @property
    def files(self) -> set[str]:
        """Paths that the recipe touches."""
        return {step.file for step in self.steps}


def recipes_of(page: str) -> list[Recipe]:
    """The recipes of a page, in its order."""
    chapter = page.split("\n## Recipes\n", 1)[1].split("\n## ", 1)[0]
    return [recipe_of(*part.split("\n", 1)) for part in chapter.split("\n### ")[1:]]


def recipe_of(title: str, text: str) -> Recipe:
    """One recipe from the text under its heading."""
    steps: list[Step] = []
    checks: list[str] = []
    for lead, block in BLOCK.findall(text):
        if new := NEW.search(lead):
            steps.append(Step(new.group(1), "", block))
        elif after := AFTER.search(lead):
            steps.append(Step(after.group(1), after.group(2), block))
        elif lead.strip() == "Check":
            checks += [line for line in block.splitlines() if line]
        else:
            raise ValueError(f"{title}: the block under {lead!r} is neither a step nor a check")
    return Recipe(title, tuple(steps), tuple(checks))


def apply(step: Step, root: Path) -> None:
    """Do one step in a copy of the tree.

    Raises:
        ValueError: a new file exists, or the line to follow is not there exactly once.
    """
    file = root / step.file
    if not step.after:
        if file.exists():
            raise ValueError(f"{step.file} exists already")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(step.text)
        return
    lines = file.read_text().splitlines(keepends=True)
    places = [number for number, line in enumerate(lines) if line.rstrip("\n") == step.after]
    if len(places) != 1:
        raise ValueError(f"{step.file} has {len(places)} lines {step.after!r}")
    lines.insert(places[0] + 1, step.text)
    file.write_text("".join(lines))
