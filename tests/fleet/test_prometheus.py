"""Prometheus over metrics of real processes: the alert rules fire, and the dashboard has values.

Only by ``./dev fleet``: it installs Prometheus. These tests wait for real time.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.fleet.programs import ENVIRONMENT, asked, running, waited
from tests.helpers.command_line import command_environment, command_line
from tests.helpers.targets import ROOT, Target, start_target

SHIPPED = ROOT / "resources" / "fleet"
CONFIG = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs:
  - job_name: arc-inspector
    static_configs: [{{targets: ["{exporter}"]}}]
"""
FIRING = {
    "NativeHandlesGrow": "TodoItem",
    "NativeLeakSuspect": "TodoItem",
    "ResourcesNeverClosed": "Journal",
    "CloseWaitsLong": "Cursor",
    "ProcessesKilled": None,
    "ExporterIncomplete": None,
}
"""Alerts of the program below, and their type; the other rules are silent."""


def hurried(rules: str) -> str:
    """The shipped rules with windows of 20 s, which hold for 2 s before they fire."""
    return re.sub(r"\bfor: \d+m", "for: 2s", re.sub(r"\[\d+m\]", "[20s]", rules))


class Scene:
    """A program that leaks items, drops journals open, and has a close that waits."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._folder, self._numbers = folder, count()
        self._target = self._started(stack)
        self._victim = self._started(stack)
        self._target.ask(f"journal j {folder / 'journal'}")
        self._target.ask("cursor c j")
        self._target.ask("close c")
        (segment,) = folder.glob(f"*/{self._target.pid}-*.seg")
        (segment.parent / "1-1.seg").write_bytes(b"no segment")

    def _started(self, stack: ExitStack) -> Target:
        return stack.enter_context(start_target("todo", "stacks", env=ENVIRONMENT))

    def go_on(self) -> None:
        """A round of the program; the second process is killed in the fiftieth."""
        number = next(self._numbers)
        self._target.ask("many 2")
        self._target.ask(f"journal k {self._folder / f'journal-{number}'}")
        self._target.ask("drop k")
        if number == 50:
            self._victim.process.kill()
            self._victim.process.wait()


@pytest.fixture
def prometheus(
    installed: Path, tmp_path: Path, free_port: int, own_folder: None
) -> Iterator[tuple[str, Scene]]:
    """The interface of a server that scrapes an exporter, and the program that it watches."""
    exporter = command_line("metrics", "--listen", "127.0.0.1:0", "--every", "1s")
    with ExitStack() as stack:
        scene = Scene(stack, tmp_path)
        log = tmp_path / "exporter.log"
        stack.enter_context(running(exporter, log, env=command_environment()))
        address = urlsplit(waited(log.read_text).split()[2]).netloc
        (tmp_path / "rules.yml").write_text(hurried((SHIPPED / "alerts.yml").read_text()))
        config = tmp_path / "prometheus.yml"
        config.write_text(CONFIG.format(rules=tmp_path / "rules.yml", exporter=address))
        command = [
            str(installed / "prometheus" / "usr" / "bin" / "prometheus"),
            f"--config.file={config}",
            f"--storage.tsdb.path={tmp_path / 'data'}",
            f"--web.listen-address=127.0.0.1:{free_port}",
        ]
        stack.enter_context(running(command, tmp_path / "prometheus.log"))
        yield f"http://127.0.0.1:{free_port}/api/v1", scene


def test_each_rule_fires_for_its_defect_alone(installed: Path) -> None:
    tool = installed / "prometheus" / "usr" / "bin" / "promtool"
    for words in (("check", "rules", SHIPPED / "alerts.yml"), ("test", "rules", "alerts_test.yml")):
        done = subprocess.run(
            [tool, *words], cwd=ROOT / "tests" / "fleet", capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_alerts_fire_and_the_dashboard_has_values(prometheus: tuple[str, Scene]) -> None:
    base, scene = prometheus

    fired: dict[str, str | None] = {}

    def look() -> bool:
        """Alerts of the program and the exporter, not of other processes of this machine."""
        for alert in asked(base, "alerts")["alerts"]:
            labels = alert["labels"]
            is_ours = (labels.get("service"), labels.get("version")) == ("shop", "1.5")
            is_ours |= labels["alertname"].startswith("Exporter")
            if is_ours and alert["state"] == "firing":
                fired[labels["alertname"]] = labels.get("type")
        return fired.keys() >= FIRING.keys()

    waited(look, scene.go_on)
    assert fired == FIRING
    dashboard = json.loads((SHIPPED / "dashboard.json").read_text())
    queries = [each["expr"] for panel in dashboard["panels"] for each in panel["targets"]]
    for query in queries:
        assert asked(base, "query", query=with_all(query))["result"], query
    for variable in dashboard["templating"]["list"]:
        asks = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"])
        if asks is not None:
            values = asked(base, f"label/{asks[2]}/values", match=with_all(asks[1]))
            assert values, variable["query"]


def with_all(expression: str) -> str:
    """An expression of the dashboard with *All* chosen in each of its lists."""
    return re.sub(r"\$(service|version|type)\b", ".*", expression)
