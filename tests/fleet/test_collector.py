"""An OpenTelemetry collector gets metrics of real processes. Only by ``./dev fleet``."""

from __future__ import annotations

from pathlib import Path

from tests.fleet.programs import ENVIRONMENT, running, waited
from tests.helpers.command_line import command_environment, command_line
from tests.helpers.targets import start_target

COLLECTOR = """
receivers: {{otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{port}"}}}}}}}}
exporters: {{debug: {{verbosity: detailed}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{metrics: {{receivers: [otlp], exporters: [debug]}}}}
"""


def test_a_collector_gets_a_resource_for_each_service(
    installed: Path, tmp_path: Path, free_port: int, own_folder: None
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
