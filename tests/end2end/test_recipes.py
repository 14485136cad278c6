"""Each recipe of `CONTRIBUTING.md`, followed in a copy of the tree, keeps its promise."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import scratch_tree
from tests.helpers.recipes import Recipe, apply, recipes_of
from tests.helpers.targets import ROOT

RECIPES = recipes_of((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))


def test_there_is_a_recipe_for_each_kind_of_change() -> None:
    assert [recipe.title for recipe in RECIPES] == [
        "A finding",
        "A pane",
        "A handle column",
        "A command",
        "An adapter",
    ]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.title)
def test_a_recipe_works_as_it_is_written(recipe: Recipe, tmp_path: Path) -> None:
    scratch_tree.fill(tmp_path)
    for step in recipe.steps:
        apply(step, tmp_path)
    assert recipe.checks
    environment = {
        **os.environ,
        "PYTHONPATH": str(tmp_path),
        "QT_QPA_PLATFORM": "offscreen",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    for line in recipe.checks:
        words = shlex.split(line.replace(".venv/bin/python", shlex.quote(sys.executable)))
        done = subprocess.run(
            words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
