"""The helper that steps targets fails when it should, and says why."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager

import pytest

from tests.helpers.targets import Target, TargetFailedError, start_command


def program(code: str) -> AbstractContextManager[Target]:
    return start_command(
        [sys.executable, "-c", (f"import sys\nprint('ready {{\"a\": 1}}', flush=True)\n{code}")]
    )


def test_what_the_target_said_when_it_was_ready_is_kept() -> None:
    with program("sys.stdin.read()") as target:
        assert target.ready == {"a": 1}
        assert target.finish() == 0


def test_another_word_than_the_expected_one_is_a_failure_with_the_targets_stderr() -> None:
    with (
        program(
            "print('why', file=sys.stderr, flush=True); print('no', flush=True); sys.stdin.read()"
        ) as target,
        pytest.raises(TargetFailedError, match=r"expected 'yes', the target said 'no'[\s\S]*why"),
    ):
        target.expect("yes")


def test_a_target_that_ends_instead_of_answering_is_a_failure_with_its_status() -> None:
    with (
        program("sys.exit(3)") as target,
        pytest.raises(TargetFailedError, match="ended with status 3"),
    ):
        target.expect("yes")


def test_a_target_that_is_silent_is_a_failure() -> None:
    with (
        program("sys.stdin.read()") as target,
        pytest.raises(TargetFailedError, match="said nothing"),
    ):
        target.expect("yes", patience_secs=0.05)


def test_handles_that_are_left_at_the_end_are_a_failure() -> None:
    with (
        program("sys.stdin.read(); print('left 3')") as target,
        pytest.raises(TargetFailedError, match="left 3 live handles"),
    ):
        target.finish()


def test_no_handles_left_at_the_end_is_right() -> None:
    with program("sys.stdin.read(); print('left 0')") as target:
        assert target.finish() == 0


def test_a_target_that_still_runs_is_killed_when_the_test_is_over() -> None:
    with program("import time\nwhile True: time.sleep(3600)") as target:
        pass
    assert target.process.returncode is not None
