"""Spark and Trino run the queries of the document over a lake that the command wrote.

Only by ``./dev fleet``: it installs the engines.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fleet.programs import has_started, running, trino_rows, waited
from tests.helpers.lake import LEAKING, PLACES, SECONDS, queries, trino_tables, write_sample_lake

SPARK = """
import json, sys
from pyspark.sql import SparkSession
spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
         .config("spark.sql.session.timeZone", "UTC").getOrCreate())
for table in ("lifetimes", "counts"):
    spark.read.parquet(f"{sys.argv[1]}/{table}").createOrReplaceTempView(table)
for query in sys.argv[2:]:
    print("ANSWER " + json.dumps([list(row) for row in spark.sql(query).collect()]))
"""
TRINO = {
    "node.properties": "node.environment=fleet\nnode.data-dir={data}\nnode.bind-ip=127.0.0.1\n"
    "node.internal-address=127.0.0.1\n",
    "config.properties": "coordinator=true\nnode-scheduler.include-coordinator=true\n"
    "http-server.http.port={port}\ndiscovery.uri=http://127.0.0.1:{port}\n"
    "query.max-memory-per-node=256MB\nmemory.heap-headroom-per-node=128MB\n",
    "jvm.config": "-Xmx1G\n-XX:+UseSerialGC\n-Djdk.attach.allowAttachSelf=true\n",
    "catalog/lake.properties": "connector.name=hive\nhive.metastore=file\n"
    "hive.metastore.catalog.dir=local:///metastore\nhive.timestamp-precision=MICROSECONDS\n"
    "fs.native-local.enabled=true\nlocal.location={folder}\n",
}
"""A server of one node on this machine, which reads the files of one folder."""


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """The sample lake."""
    write_sample_lake(tmp_path / "lake")
    return tmp_path / "lake"


def check_leaks(rows: list[list[Any]]) -> None:
    """The deploy and the line that leak, in the answer of an engine."""
    expected = [LEAKING.service, LEAKING.deploy, "TodoItem", "/srv/app/app.py", 41, 40, 1]
    assert rows == [expected]


def check_growth(rows: list[list[Any]]) -> None:
    """The type that grows, in the answer of an engine."""
    assert rows[0][:3] == [LEAKING.service, LEAKING.deploy, "TodoItem"]
    assert 19.0 < rows[0][3] < 21.0
    assert all(abs(row[3]) < 1.0 for row in rows[1:])


def test_spark_names_the_leak(installed: Path, tmp_path: Path, lake: Path) -> None:
    script = tmp_path / "ask.py"
    script.write_text(SPARK)
    done = subprocess.run(
        [installed / "spark" / "bin" / "python", script, lake, *queries("spark")],
        capture_output=True,
        text=True,
        timeout=600,
    )
    answers = [each for each in done.stdout.splitlines() if each.startswith("ANSWER ")]
    assert len(answers) == 2, done
    leaks, growth = (json.loads(each.removeprefix("ANSWER ")) for each in answers)
    check_leaks(leaks)
    check_growth(growth)


@pytest.fixture
def trino(
    installed: Path, tmp_path: Path, free_port: int
) -> Iterator[Callable[[str], list[list[Any]]]]:
    """Answers of a server that runs meanwhile, in a folder of its own."""
    etc, home = tmp_path / "etc", next((installed / "java").rglob("java-runtime"))
    (etc / "catalog").mkdir(parents=True)
    for name, text in TRINO.items():
        parts = {"data": tmp_path / "data", "port": free_port, "folder": tmp_path}
        (etc / name).write_text(text.format(**parts))
    command = [str(installed / "trino" / "bin" / "launcher"), "run", f"--etc-dir={etc}"]
    environment = {**os.environ, "JAVA_HOME": str(home)}
    environment["PATH"] = f"{home / 'bin'}:{os.environ['PATH']}"
    base = f"http://127.0.0.1:{free_port}"
    with running(command, tmp_path / "trino.log", env=environment):
        waited(lambda: has_started(base))
        yield lambda sql: trino_rows(base, sql)


def test_trino_names_the_leak(trino: Callable[[str], list[list[Any]]], lake: Path) -> None:
    for statement in trino_tables(f"local:///{lake.name}"):
        trino(statement)
    lifetimes = waited(lambda: trino("select count(*) from lifetimes"))
    assert lifetimes == [[40 + len(PLACES) * 5 * SECONDS]]
    leaks, growth = (trino(each) for each in queries("trino"))
    check_leaks(leaks)
    check_growth(growth)
