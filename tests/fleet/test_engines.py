"""Prometheus, an OpenTelemetry collector and Spark over metrics and files of real processes.

Only by ``./dev fleet``: it installs the programs. These tests wait for real time.
"""

from __future__ import annotations

import json
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.command_line import command_environment, command_line
from tests.helpers.lake import LEAKING, queries, write_sample_lake
from tests.helpers.targets import ROOT, Target, start_target

ENVIRONMENT = {
    "OTEL_SERVICE_NAME": "shop",
    "OTEL_RESOURCE_ATTRIBUTES": "service.version=1.5",
}
PATIENCE_SECS = 120.0
PROMETHEUS = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs:
  - job_name: arc-inspector
    static_configs: [{{targets: ["{exporter}"]}}]
"""
RULES = """
groups:
  - name: quick
    rules:
      - alert: Grows
        expr: deriv(arc_handles_live[20s]) > 1
"""
COLLECTOR = """
receivers: {{otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{port}"}}}}}}}}
exporters: {{debug: {{verbosity: detailed}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{metrics: {{receivers: [otlp], exporters: [debug]}}}}
"""
SPARK = """
import json, sys
from pyspark.sql import SparkSession
spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
         .config("spark.sql.session.timeZone", "UTC").getOrCreate())
for table in ("lifetimes", "counts"):
    spark.read.parquet(f"{sys.argv[1]}/{table}").createOrReplaceTempView(table)
print("ANSWER " + json.dumps([list(row) for row in spark.sql(sys.argv[2]).collect()]))
"""


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@contextmanager
def running(command: list[str], log: Path, **more: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A program whose output goes into a file; it is ended afterwards."""
    with (
        log.open("wb") as out,
        subprocess.Popen(command, stdout=out, stderr=out, **more) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()


def waited(what: Callable[[], Any], meanwhile: Callable[[], Any] = lambda: None) -> Any:
    """The first answer that is not empty."""
    until = time.monotonic() + PATIENCE_SECS
    while time.monotonic() < until:
        try:
            found = what()
        except OSError:
            found = None
        if found:
            return found
        meanwhile()
        time.sleep(0.2)
    raise AssertionError("nothing came in time")


def asked(url: str) -> Any:
    with urllib.request.urlopen(url) as answer:  # noqa: S310 - our own
        return json.load(answer)["data"]


def grow(target: Target) -> None:
    target.ask("many 2")


def test_prometheus_reads_the_rules_and_fires_for_what_grows(
    installed: Path, tmp_path: Path, free_port: int
) -> None:
    tools = installed / "prometheus" / "usr" / "bin"
    shipped = ROOT / "resources" / "fleet" / "alerts.yml"
    checked = subprocess.run(
        [tools / "promtool", "check", "rules", shipped], capture_output=True, text=True
    )
    assert checked.returncode == 0, checked
    (tmp_path / "quick.yml").write_text(RULES)
    exporter = command_line("metrics", "--listen", "127.0.0.1:0", "--every", "1s")
    with (
        start_target("todo", env=ENVIRONMENT) as target,
        running(exporter, tmp_path / "exporter.log", env=command_environment()),
    ):
        said = waited((tmp_path / "exporter.log").read_text)
        address = urllib.parse.urlsplit(said.split()[-1]).netloc
        config = tmp_path / "prometheus.yml"
        config.write_text(
            PROMETHEUS.format(rules=f"{tmp_path / 'quick.yml'}, {shipped}", exporter=address)
        )
        base = f"http://127.0.0.1:{free_port}/api/v1"
        command = [
            str(tools / "prometheus"),
            f"--config.file={config}",
            f"--storage.tsdb.path={tmp_path / 'data'}",
            f"--web.listen-address=127.0.0.1:{free_port}",
        ]
        with running(command, tmp_path / "prometheus.log"):
            alerts = waited(
                lambda: [
                    each
                    for each in asked(f"{base}/alerts")["alerts"]
                    if each["labels"]["alertname"] == "Grows"
                ],
                lambda: grow(target),
            )
            assert alerts[0]["labels"]["service"] == "shop"
            assert alerts[0]["labels"]["version"] == "1.5"
            assert alerts[0]["labels"]["type"] == "TodoItem"
            dashboard = json.loads((shipped.parent / "dashboard.json").read_text())
            for panel in dashboard["panels"]:
                for each in panel["targets"]:
                    expression = each["expr"]
                    for name in ("service", "version", "type"):
                        expression = expression.replace(f"${name}", ".*")
                    asked(f"{base}/query?{urllib.parse.urlencode({'query': expression})}")


def test_a_collector_gets_a_resource_for_each_service(
    installed: Path, tmp_path: Path, free_port: int
) -> None:
    config = tmp_path / "collector.yaml"
    config.write_text(COLLECTOR.format(port=free_port))
    program = installed / "collector" / "otelcol-fleet"
    words = ("metrics", "--otlp", f"http://127.0.0.1:{free_port}", "--every", "1s")
    log = tmp_path / "collector.log"
    with (
        start_target("todo", env=ENVIRONMENT) as target,
        running([str(program), f"--config={config}"], log),
        running(command_line(*words), tmp_path / "exporter.log", env=command_environment()),
    ):
        target.ask("many 3")
        waited(lambda: "Name: arc.handles.live\n" in log.read_text())
        waited(lambda: "Name: arc.handles.born\n" in log.read_text())
        text = log.read_text()
    assert "service.name: Str(shop)" in text
    assert "service.version: Str(1.5)" in text
    assert "type: Str(TodoItem)" in text
    assert "IsMonotonic: true" in text


def test_spark_reads_the_lake_and_names_the_leak(installed: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    write_sample_lake(lake)
    script = tmp_path / "ask.py"
    script.write_text(SPARK)
    (query,) = queries("spark")
    done = subprocess.run(
        [installed / "spark" / "bin" / "python", script, lake, query],
        capture_output=True,
        text=True,
        timeout=600,
    )
    (line,) = [each for each in done.stdout.splitlines() if each.startswith("ANSWER ")] or [done]
    rows = json.loads(str(line).removeprefix("ANSWER "))
    expected = [LEAKING.service, LEAKING.deploy, "TodoItem", "/srv/app/app.py", 41, 40, 1]
    assert rows == [expected]


def test_the_query_for_trino_is_understood(installed: Path) -> None:
    code = (
        "import sys, sqlglot; "
        "print(sqlglot.parse_one(sys.argv[1], dialect='trino').sql(dialect='trino'))"
    )
    (query,) = queries("trino")
    done = subprocess.run(
        [installed / "spark" / "bin" / "python", "-c", code, query], capture_output=True, text=True
    )
    assert done.returncode == 0, done
    assert "INTERVAL '1' MINUTE" in done.stdout
