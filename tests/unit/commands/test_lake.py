"""The lake: files that DuckDB reads as the document says, whole or not there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from inspector.commands.app import run
from inspector.commands.support.lake import PARTITIONS, Observation, write_lake
from inspector.errors import FileFormatError
from inspector.model.lifetimes import LifetimeCollector, seconds_of
from inspector.model.snapshot import UNKNOWN
from tests.helpers.lake import (
    LEAKING,
    PLACES,
    SECONDS,
    observation,
    queries,
    trino_tables,
    write_sample_lake,
)
from tests.helpers.secrets import secret_snapshot, secrets_in
from tests.helpers.snapshots import Row, snapshot_of


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lake") / "it's a lake"
    write_sample_lake(folder)
    return folder


@pytest.fixture
def engine(lake: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An engine that runs queries of the document."""
    monkeypatch.chdir(lake.parent)
    connection = duckdb.connect(":memory:")
    yield lambda sql: connection.execute(
        sql.replace("LAKE", str(lake).replace("'", "''"))
    ).fetchall()
    connection.close()


def test_files_lie_in_partitions_and_belong_to_their_owner(lake: Path) -> None:
    files = sorted(lake.rglob("*.parquet"))
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    for path in files:
        names = [part.partition("=")[0] for part in path.relative_to(lake).parts[1:-1]]
        assert tuple(names) == PARTITIONS
    assert {path.relative_to(lake).parts[0] for path in files} == {"lifetimes", "counts"}
    assert [each.name for each in lake.iterdir() if each.name.startswith(".")] == []


def test_partitions_and_rows_are_read_back(engine: Any) -> None:
    read = "read_parquet('LAKE/{}/**/*.parquet', hive_partitioning = true)"
    found = engine(f"select distinct service, deploy, host from {read.format('lifetimes')}")  # noqa: S608 - ours
    assert set(found) == {(each.service, each.deploy, each.host) for each in PLACES}
    counts = engine(
        "select count(*), min(live), max(live), count(distinct second) from "  # noqa: S608 - ours
        f"{read.format('counts')} where deploy = '{LEAKING.deploy}' and type = 'TodoItem'"
    )
    assert counts == [(SECONDS, 6, 45, SECONDS)]
    lifetimes = engine(
        "select count(*), count(*) filter (is_alive), count(distinct handle) from "  # noqa: S608 - ours
        f"{read.format('lifetimes')} where deploy = '{LEAKING.deploy}'"
    )
    assert lifetimes == [(40 + 5 * SECONDS, 45, 40 + 5 * SECONDS)]


def test_one_native_reference_too_few_is_no_unknown_count(tmp_path: Path) -> None:
    rows = [
        Row(1, strong=1, proxies=2, native_refs=-1),
        Row(2, strong=UNKNOWN, proxies=UNKNOWN, native_refs=UNKNOWN),
        Row(3, strong=3, proxies=1, native_refs=2),
    ]
    collector = LifetimeCollector()
    collector.take(shown := snapshot_of(rows))
    seen = Observation(
        shown,
        collector.finish(None),
        seconds_of((shown.vitals,)),
        shown.taken_at,
        shown.taken_at,
        0,
    )
    write_lake(tmp_path / "lake", seen, shown, LEAKING)
    read = f"read_parquet('{tmp_path}/lake/lifetimes/**/*.parquet')"
    with duckdb.connect(":memory:") as engine:
        found = engine.execute(f"select native_refs from {read} order by handle").fetchall()  # noqa: S608 - ours
    assert found == [(-1,), (None,), (2,)]


def test_the_queries_of_the_document_name_the_deploy_and_the_line_that_leak(engine: Any) -> None:
    leaks, growth = (engine(sql) for sql in queries("duckdb"))
    assert [row[:3] for row in leaks] == [(LEAKING.service, LEAKING.deploy, "TodoItem")]
    assert leaks[0][3:] == ("/srv/app/app.py", 41, 40, 1)
    assert growth[0][:3] == (LEAKING.service, LEAKING.deploy, "TodoItem")
    assert 19.0 < growth[0][3] < 21.0
    assert all(abs(row[3]) < 1.0 for row in growth[1:])


def test_the_tables_for_trino_have_the_columns_of_the_files(engine: Any) -> None:
    made = [each for each in trino_tables() if each.startswith("create table")]
    for table, statement in zip(("lifetimes", "counts"), made, strict=True):
        rows = engine(
            f"describe from read_parquet('LAKE/{table}/**/*.parquet', hive_partitioning = true)"
        )
        inside = statement.replace("(6)", "").partition("(")[2].partition(")\nwith")[0]
        named = dict(each.split() for each in inside.split(","))
        assert {name: kind.lower() for name, kind, *_ in rows} == named


def test_a_full_disk_or_a_closed_folder_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    seen = observation(0)
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(FileFormatError, match="cannot write"):
        write_lake(file / "lake", seen, seen.newest, LEAKING)
    assert os.listdir(tmp_path) == ["file"]  # noqa: PTH208 - names


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--parquet", "DIR", "--format", "html"), "--parquet DIR goes without --format"),
        (("--format", "html", "--host", "x"), "--service, --deploy and --host go with"),
        ((), "the formats are "),
        (("--parquet", "FILE"), "this is no folder"),
    ],
)
def test_wrong_use_is_one_line(
    words: tuple[str, ...], error: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "FILE").write_text("")
    given = [str(tmp_path / word) if word in ("DIR", "FILE") else word for word in words]
    assert run(["export", "1", *given]) == 2
    err = capsys.readouterr().err
    assert err.startswith("arc-inspector: ")
    assert error in err


def test_private_parts_stay_out_of_the_bytes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from inspector.model.screenshot import embed

    png = bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
        "0000000a49444154789c636000000002000148afa4710000000049454e44ae426082"
    )
    picture = tmp_path / "a.png"
    picture.write_bytes(embed(png, secret_snapshot()))
    assert run(["export", str(picture), "--parquet", str(tmp_path / "lake")]) == 0
    assert "below" in capsys.readouterr().out
    files = list((tmp_path / "lake").rglob("*.parquet"))
    assert files
    with duckdb.connect(":memory:") as read:
        for path in files:
            rows = read.execute(f"select * from '{path}'").fetchall()  # noqa: S608 - ours
            assert secrets_in(repr((rows, path.relative_to(tmp_path)))) == []
