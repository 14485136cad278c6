"""The fetching of interpreters reports its attempts, once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers import interpreters
from tests.helpers.interpreters import NoInterpreterError, fetched, missing


@pytest.fixture
def no_debian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine without Debian's tools, and nothing fetched yet."""
    monkeypatch.setenv("ARC_INSPECTOR_INTERPRETERS", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    fetched.cache_clear()
    yield tmp_path
    fetched.cache_clear()  # the result of this test must not be reused


def test_what_cannot_be_had_is_said_in_one_line_that_names_what_was_tried(no_debian: Path):
    with pytest.raises(NoInterpreterError) as refused:
        fetched("python3.14")
    assert str(refused.value) == (
        "no python3.14 from Debian's testing or unstable: this is no Debian on x86-64"
    )
    assert [each.name for each in no_debian.iterdir()] == ["python3.14.failed"]


def test_a_failure_is_remembered_for_a_while_and_setting_up_tries_again(
    no_debian: Path, monkeypatch: pytest.MonkeyPatch
):
    tries: list[str] = []

    def fetch(name: str, _home: Path) -> None:
        tries.append(name)
        raise NoInterpreterError("the mirror is away")

    monkeypatch.setattr(interpreters, "_fetch", fetch)
    for _ in range(2):
        with pytest.raises(NoInterpreterError, match="the mirror is away"):
            fetched("pypy3")
    assert tries == ["pypy3"]
    assert len(list(missing())) == len(interpreters.FETCHED)
    assert tries.count("pypy3") == 2


def test_what_does_not_start_any_more_is_fetched_anew(
    no_debian: Path, monkeypatch: pytest.MonkeyPatch
):
    broken = no_debian / "pypy3" / "usr" / "bin" / "pypy3"
    broken.parent.mkdir(parents=True)
    broken.write_text("#!/moved/away\n")
    broken.chmod(0o700)

    def fetch(_name: str, _home: Path) -> None:
        broken.write_text("#!/bin/true\n")

    monkeypatch.setattr(interpreters, "_fetch", fetch)
    assert fetched("pypy3") == str(broken)
