"""The recipes of other package systems agree with pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONDA = (ROOT / "building/recipes/conda-forge/recipe.yaml").read_text(encoding="utf-8")
DEBIAN = ROOT / "building/recipes/debian"
CONTROL = (DEBIAN / "control").read_text(encoding="utf-8")
OTHER_NAMES = {
    "conda": {"pyside6-essentials": "pyside6"},
    "debian": {"pyside6-essentials": "pyside6.qtwidgets"},
}


def minimums(requirements: list[str], system: str) -> set[tuple[str, str]]:
    """Names and oldest versions, as the system names the packages."""
    found = set()
    for text in requirements:
        match = re.match(r"([A-Za-z0-9_-]+)>=([\d.]+)", text)
        if match:
            name = match[1].lower()
            found.add((OTHER_NAMES[system].get(name, name), match[2]))
    return found


def needed(system: str) -> set[tuple[str, str]]:
    extras = PROJECT["optional-dependencies"]
    return minimums([*PROJECT["dependencies"], *extras["cli"], *extras["viewer"]], system)


def test_the_recipe_of_conda_needs_the_same_packages() -> None:
    run = CONDA.partition("  run:\n")[2].partition("\ntests:")[0]
    found = set(re.findall(r"- ([\w.-]+) >=([\d.]+)", run))
    python = PROJECT["requires-python"].removeprefix(">=")
    assert found == needed("conda") | {("python", python)}


def test_the_recipe_of_debian_needs_the_same_packages() -> None:
    package = CONTROL.partition("Package: arc-inspector")[2]
    found = set(re.findall(r"python3-([\w.-]+) \(>= ([\d.]+)\)", package))
    assert found == needed("debian")


@pytest.mark.parametrize("system", ["conda", "debian"])
def test_a_recipe_builds_with_what_the_build_needs(system: str) -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]
    rust = tomllib.loads((ROOT / "native/Cargo.toml").read_text(encoding="utf-8"))
    oldest = rust["workspace"]["package"]["rust-version"]
    for name, version in minimums(build["requires"], system):
        if system == "conda":
            assert f"    - {name} >={version}\n" in CONDA
        else:
            assert f"python3-{name} (>= {version})" in CONTROL
    if system == "debian":
        assert f"rustc (>= {oldest})" in CONTROL


def test_the_recipes_have_the_version_the_licence_and_the_words_of_the_project() -> None:
    assert f'version: "{PROJECT["version"]}"' in CONDA
    assert f"license: {PROJECT['license']}\n" in CONDA
    assert f"summary: {PROJECT['description']}\n" in CONDA
    assert " ".join(CONTROL.partition("\n A desktop")[2].split()) in PROJECT["description"]
    first = (DEBIAN / "changelog").read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith(f"arc-inspector ({PROJECT['version']}-")
    for text in (CONDA, CONTROL):
        assert PROJECT["urls"]["Repository"] in text
    (name, entry), *_ = PROJECT["scripts"].items()
    assert f"- {name} = {entry}\n" in CONDA
