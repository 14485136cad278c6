"""Unmodified packages of each installable generation of UniFFI, and the target over each."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.helpers.packages import NoPackageError, package_folder
from tests.helpers.targets import Target, start_target

BORROWING = ("glean-sdk==50.1.4", "glean-sdk==54.0.0", "glean-sdk==57.0.0")
"""Before contract numbers, contract 22, contract 24."""
CLONING = ("nostr-sdk==0.32.2", "bdkpython==2.2.0", "nostr-sdk==0.44.8", "nostr-sdk", "bdkpython")
"""Contract 26, 29, 29, 30, 30."""
GLEAN = (*BORROWING, "glean-sdk==60.0.0")
NOSTR = tuple(each for each in CLONING if each.startswith("nostr"))
EVERY = ("bdkpython==0.0.4", *GLEAN, *CLONING)


@contextmanager
def program(requirement: str, *options: str) -> Iterator[Target]:
    """The target over one package; without a version, the environment's package."""
    if "==" in requirement:
        try:
            folder = package_folder(requirement)
        except NoPackageError as error:
            pytest.skip(str(error))
    else:
        spec = importlib.util.find_spec(requirement.replace("-", "_"))
        assert spec is not None
        assert spec.origin is not None
        folder = Path(spec.origin).parents[1]
    family = requirement.partition("==")[0].partition("-")[0].removesuffix("python")
    with start_target("generation_steps", family, str(folder), *options) as target:
        yield target
