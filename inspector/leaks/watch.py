"""Watches one pytest run: objects that each test, and each fixture of a wider scope, leaves alive.

A test is judged when its teardown is over; fixtures that live longer are judged when they end, with
the test that ends them. Failed tests are not judged, since their tracebacks hold their objects;
fixtures that end with a failed test are. Under xdist each worker judges its tests, the controller
reports.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Sequence
from typing import Any, Final

import pytest

from inspector.agent import is_running, start, stop
from inspector.errors import UNKNOWN_STATUS, InspectorError
from inspector.leaks.allow import AllowList, read_allow_list
from inspector.leaks.judge import LeakJudge, forget_traceback
from inspector.leaks.leak import Leak, handles_text, leak_of, leaks_text
from inspector.leaks.live import LiveHandles
from inspector.leaks.marks import NAME, allowances
from inspector.leaks.measured import Measured, measured_of, together

ADVICE: Final = (
    "To allow them, give the reason in [[tool.arc-inspector.leaks]] of pyproject.toml (type, "
    "site, test, at_most, reason),\n"
    "or run with --arc-leaks-allow 'TYPE@SITE=REASON'."
)
Wrapped = Generator[None, Any, Any]


class LeakWatch:
    """The part of the plugin that is registered when it is asked for.

    Used on the thread that runs the tests.
    """

    def __init__(self, config: pytest.Config) -> None:
        """Start the agent where tests run. Raises ``InspectorError``."""
        self._config = config
        self._allowed: AllowList = read_allow_list(
            config.rootpath, config.getoption("arc_leaks_allow")
        )
        is_worker = hasattr(config, "workerinput")
        self._is_reporter = not is_worker
        runs_tests = is_worker or config.getoption("dist", "no") == "no"
        self._was_running = is_running()
        self._judge = (
            LeakJudge(LiveHandles(start("stacks")), config.getoption("arc_leaks_repeat"))
            if runs_tests
            else None
        )
        self._expected_failures: set[str] = set()
        self._found: list[Leak] = []
        self._let_pass: list[Leak] = []
        self._not_judged: list[str] = []
        self._measured: list[Measured] = []
        self._judged = 0
        self._results: dict[str, dict[str, Any]] = {}

    @pytest.hookimpl
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """A mark that is not understood ends the run before a test is run."""
        for item in items:
            self._allowed_for(item)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Wrapped:
        """Remember the objects alive before a test."""
        if self._judge is not None:
            self._judge.begin()
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Wrapped:
        """Objects that a fixture of a wider scope makes are its own until it ends."""
        if self._judge is None or fixturedef.scope == "function":
            return (yield)
        before = set(self._judge.live.read())
        try:
            return (yield)
        finally:
            self._judge.add_fixture(fixturedef, before)

    @pytest.hookimpl
    def pytest_fixture_post_finalizer(self, fixturedef: Any) -> None:
        """A fixture ended; its value is released after this hook."""
        if self._judge is not None:
            self._judge.end_fixture(fixturedef)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Wrapped:
        """Remember which tests failed.

        Put the finding into the teardown's report, in a form that xdist carries. A leak is no
        failure that a mark of the test expects.
        """
        report: pytest.TestReport = yield
        if call.when != "teardown":
            if call.excinfo is not None and not report.skipped:
                self._not_judged.append(item.nodeid)
            elif call.excinfo is not None and hasattr(report, "wasxfail"):
                self._expected_failures.add(item.nodeid)
        else:
            result = self._results.pop(item.nodeid, {})
            if result.get("leaks") and hasattr(report, "wasxfail"):
                del report.wasxfail
                report.outcome = "failed"
            if item.nodeid in self._not_judged:
                result["not_judged"] = True
            if self._judge is not None:
                result |= self._judge.live.measured().value()
            report.arc_leaks = result  # type: ignore[attr-defined]
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item, nextitem: pytest.Item | None) -> Wrapped:
        """Judge, after all fixtures of the test have ended. Raises the test's failure."""
        result = yield
        judge = self._judge
        if judge is None or judge.is_repeating:
            return result
        has_failed = item.nodeid in self._not_judged
        if has_failed or item.nodeid in self._expected_failures:
            forget_traceback()
        try:
            if judge.has_ended_fixtures or not has_failed:
                self._judge_test(judge, item, nextitem, has_failed=has_failed)
        finally:
            judge.forget_ended()
        return result

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Gather the leaks of tests, here or on workers."""
        if report.when != "teardown" or not self._is_reporter:
            return
        result = getattr(report, "arc_leaks", {})
        self._found += [leak_of(value) for value in result.get("leaks", ())]
        self._let_pass += [leak_of(value) for value in result.get("allowed", ())]
        if "followed" in result:
            self._measured.append(measured_of(result))
        self._judged += "leaks" in result and not result.get("not_judged")
        if result.get("not_judged") and report.nodeid not in self._not_judged:
            self._not_judged.append(report.nodeid)

    @pytest.hookimpl
    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """One section, and the JSON file."""
        if not self._is_reporter:
            return
        terminalreporter.section("native handles")
        for line in self._summary():
            terminalreporter.write_line(line)

    @pytest.hookimpl
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the file.

        A run that passes although the state of its handles is unknown ends with a status of its
        own.
        """
        file = self._config.getoption("arc_leaks_json")
        if (
            self._is_reporter
            and self._trouble()
            and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
        ):
            session.exitstatus = UNKNOWN_STATUS
        if self._is_reporter and file:
            value = {
                "status": int(exitstatus),
                "judged": self._judged,
                **together(self._measured).value(),
                "leaks": [leak.value() for leak in self._found],
                "allowed": [leak.value() for leak in self._let_pass],
                "not_judged": self._not_judged,
            }
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
            with os.fdopen(os.open(file, flags, 0o600), "w", encoding="utf-8") as opened:
                opened.write(json.dumps(value, indent=2) + "\n")

    @pytest.hookimpl
    def pytest_unconfigure(self) -> None:
        """Leave the process as it was."""
        if self._judge is not None:
            self._judge.live.close()
            if not self._was_running:
                stop()

    def _judge_test(
        self, judge: LeakJudge, item: pytest.Item, nextitem: pytest.Item | None, *, has_failed: bool
    ) -> None:
        """Remember the leaks, allowed leaks apart. Raises the test's failure."""
        bad, allowed = judge.judge(item, nextitem, self._allowed_for(item), failed=has_failed)
        self._results[item.nodeid] = {
            "leaks": [leak.value() for leak in bad],
            "allowed": [leak.value() for leak in allowed],
        }
        if bad:
            pytest.fail(_failure(bad), pytrace=False)

    def _allowed_for(self, item: pytest.Item) -> AllowList:
        """The allowances of the run and of the test's marks. Raises ``pytest.UsageError``."""
        try:
            more = [
                each
                for mark in item.iter_markers(NAME)
                for each in allowances(mark.args, mark.kwargs)
            ]
        except InspectorError as error:
            raise pytest.UsageError(f"arc-inspector: {error}: {item.nodeid}") from error
        return self._allowed.with_more(more)

    def _trouble(self) -> str:
        """Why the run says nothing of handles although it found no leak; ``""`` when it does."""
        if self._found or self._config.option.collectonly:
            return ""
        return (
            together(self._measured).trouble
            if self._judged
            else ("no test was judged, so nothing can be said of handles")
        )

    def _summary(self) -> list[str]:
        """The run's result, in a few lines."""
        lines = []
        owners = {leak.owner for leak in self._found}
        if owners:
            tests = (
                f"{len(owners)} {'test or fixture' if len(owners) == 1 else 'tests and fixtures'}"
            )
            lines.append(
                f"{handles_text(sum(leak.count for leak in self._found))} leaked by {tests}"
            )
        else:
            lines.append(self._trouble() or "no handle leaked")
        lines += together(self._measured).lines()
        lines += [
            f"allowed: {leak.count:,} × {leak.type}, {leak.owner}: {leak.reason}"
            for leak in self._let_pass
        ]
        if self._not_judged:
            lines.append(f"not judged, because they failed: {len(self._not_judged):,}")
        return lines


def _failure(leaks: Sequence[Leak]) -> str:
    """The text of a test's failure."""
    parts = []
    for owner in dict.fromkeys(leak.owner for leak in leaks):
        own = [leak for leak in leaks if leak.owner == owner]
        who = f"by {owner}" if owner.startswith("fixture ") else "by this test"
        parts.append(
            f"{handles_text(sum(leak.count for leak in own))} made {who} outlived "
            f"it:\n\n{leaks_text(own)}"
        )
    return "\n\n".join([*parts, ADVICE])
