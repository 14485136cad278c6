"""The pages that list promises and claims name tests that exist, and the table of faults is not
stale."""

from __future__ import annotations

import pytest

from tests.helpers.named_tests import defined_tests, named_in, rows_of
from tests.helpers.targets import ROOT
from tests.mutate.faults import Fault, put_in, read_faults


def test_each_promise_is_kept_by_a_test_of_that_name() -> None:
    promises = (
        (ROOT / "docs" / "lifecycle.md")
        .read_text()
        .partition("## Promises")[2]
        .partition("## How")[0]
    )
    named = named_in(row for row in promises.splitlines() if row.startswith("|"))
    assert len(named) > 50
    assert set(named) - defined_tests() == set()


def test_each_claim_is_held_by_tests_that_exist() -> None:
    rows = rows_of(ROOT / "docs" / "claims.md")
    assert len(rows) >= 40
    assert [row[0] for row in rows if not named_in(row[1:])] == []
    assert set(named_in(cell for row in rows for cell in row[1:])) - defined_tests() == set()


@pytest.mark.parametrize("fault", read_faults(), ids=lambda fault: fault.what)
def test_each_fault_has_its_place_and_its_tests(fault: Fault) -> None:
    assert put_in(fault, (ROOT / fault.file).read_text()) != (ROOT / fault.file).read_text()
    for test in fault.tests:
        words = test.split()
        place = ROOT / (test.partition("::")[0] if words[0] != "cargo" else "native/Cargo.toml")
        assert place.is_file(), test
        assert (
            words[0] == "cargo" or not (name := test.partition("::")[2]) or name in defined_tests()
        )
