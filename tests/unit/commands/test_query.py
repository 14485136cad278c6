"""SQL over a snapshot answers from its tables, and reaches nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from inspector.commands.app import run
from inspector.errors import TargetBusyError, UsageError
from inspector.model.exports.lines import handle_rows
from inspector.model.screenshot import embed
from inspector.model.snapshot import Snapshot
from inspector.model.sql.engine import SqlQuestion, answer, loaded_engine, lock
from inspector.model.sql.examples import EXAMPLES, Example
from inspector.model.sql.tables import TABLES, Questioned
from tests.helpers.events import events_of
from tests.helpers.secrets import secret_snapshot, secrets_in
from tests.helpers.snapshots import T0
from tests.helpers.targets import ROOT
from tests.helpers.varied import varied_snapshot


@pytest.fixture
def connection() -> Any:
    """A locked engine over rows of every state."""
    events = events_of((T0 + 1, "create", 2), (T0 + 2, "release", 2))
    made = loaded_engine(Questioned(varied_snapshot(), events=events))
    lock(made)
    yield made
    made.close()


def asked(connection: Any, sql: str, *, limit: int = 0, timeout_secs: float = 60.0) -> list[Any]:
    return list(answer(connection, sql, limit=limit, timeout_secs=timeout_secs).rows)


def test_the_table_of_handles_has_every_live_row_with_null_for_unknown(connection: Any) -> None:
    rows = handle_rows(varied_snapshot())
    assert asked(connection, "select * from handles") == [tuple(row.values()) for row in rows]
    unknown = sum(row["strong"] is None for row in rows)
    assert asked(connection, "select count(*) from handles where strong is null") == [(unknown,)]
    assert unknown > 0


def test_each_table_has_its_columns_and_types(connection: Any) -> None:
    for table in TABLES:
        described = asked(connection, f"select * from (describe {table.name})")  # noqa: S608 - ours
        assert {row[0]: row[1].lower() for row in described} == {
            each.name: each.kind for each in table.columns
        }


def test_stacks_events_and_counts_join(connection: Any) -> None:
    (count,) = asked(
        connection,
        "select count(*) from handles join frames using (stack) where frames.depth = 0",
    )
    assert count[0] > 0
    assert asked(connection, "select event from events order by taken_at") == [
        ("created",),
        ("released",),
    ]
    live = asked(connection, "select sum(live) from counts")[0][0]
    assert live == int(varied_snapshot().vitals.live_by_type().sum())


HOSTILE = (
    "select * from '/etc/passwd'",
    "select * from read_csv('/etc/passwd')",
    "select * from read_text('/proc/self/environ')",
    "select * from glob('/*')",
    "copy handles to '/tmp/arc-inspector-escaped.csv'",
    "attach '/tmp/arc-inspector-escaped.db'",
    "install httpfs",
    "load httpfs",
    "set enable_external_access = true",
    "set memory_limit = '100GB'",
    "reset lock_configuration",
    "export database '/tmp/arc-inspector-escaped'",
    "select * from HOSTILE",
    "select * from incoming",
    "import database '/tmp'",
    "select * from sniff_csv('/etc/passwd')",
    "this is no sql {",
    "select 'a' || \0",
)


@pytest.mark.parametrize("sql", HOSTILE)
def test_a_hostile_query_is_refused_in_one_line(connection: Any, sql: str) -> None:
    with pytest.raises(UsageError) as refused:
        asked(connection, sql)
    assert str(refused.value).startswith("the query was refused: ")
    assert "\n" not in str(refused.value)
    assert list(Path("/tmp").glob("arc-inspector-escaped*")) == []  # noqa: S108
    assert asked(connection, "select count(*) > 0 from handles") == [(True,)]


def test_a_query_without_end_is_ended(connection: Any) -> None:
    endless = "select count(*) from range(10000000000) a, range(10000000000) b"
    with pytest.raises(TargetBusyError, match="took longer than"):
        asked(connection, endless, timeout_secs=0.2)
    assert asked(connection, "select 1") == [(1,)]


def test_more_rows_than_were_asked_for_are_said(connection: Any) -> None:
    found = answer(connection, "select * from range(5)", limit=3, timeout_secs=60.0)
    assert (len(found.rows), found.has_more) == (3, True)
    found = answer(connection, "select * from range(5)", limit=5, timeout_secs=60.0)
    assert (len(found.rows), found.has_more) == (5, False)


def picture(folder: Path, snapshot: Snapshot | None = None) -> Path:
    """A picture with a snapshot, by default with one full of private parts."""
    png = bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
        "0000000a49444154789c636000000002000148afa4710000000049454e44ae426082"
    )
    path = folder / "a.png"
    path.write_bytes(embed(png, snapshot or secret_snapshot()))
    return path


def test_json_and_csv_have_no_private_word_and_a_table_is_for_the_person(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["query", str(picture(tmp_path)), "select distinct file from frames"]
    assert run([*words, "--json"]) == 0
    text = capsys.readouterr().out
    assert secrets_in(text) == []
    value = json.loads(text)
    assert value["columns"] == ["file"]
    assert {"file": "…/decode.py"} in value["rows"]
    assert run([*words, "--csv"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("file\n")
    assert secrets_in(text) == []
    assert run(words) == 0
    assert "/opt/vendor/customers/decode.py" in capsys.readouterr().out


def test_the_tables_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["query", str(picture(tmp_path)), ""]) == 0
    text = capsys.readouterr().out
    assert all(f"{table.name}: " in text for table in TABLES)


def test_without_the_package_it_is_one_line_that_says_how_to_get_it() -> None:
    program = (
        "import sys; sys.modules['duckdb'] = None\n"
        "from inspector.commands.app import run\n"
        "sys.exit(run(['query', '1', 'select 1']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (
        1,
        "arc-inspector: query needs the package duckdb: pip install 'arc-inspector[columns]'\n",
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.title)
def test_every_example_is_answered(connection: Any, example: Example) -> None:
    assert answer(connection, example.sql, limit=0, timeout_secs=60.0).names


def test_only_tables_that_a_query_names_have_rows() -> None:
    query = "select count(*) from Threads"
    made = loaded_engine(Questioned(varied_snapshot()), query=query)
    counts = [made.execute(f"select count(*) from {each.name}").fetchone()[0] for each in TABLES]  # noqa: S608 - ours
    made.close()
    assert [each.name for each, count in zip(TABLES, counts, strict=True) if count] == ["threads"]


def test_a_query_that_is_given_up_ends(connection: Any) -> None:
    endless = "select count(*) from range(100000000000) a, range(100000000000) b"
    question = SqlQuestion(Questioned(varied_snapshot()), endless, limit=0, timeout_secs=600.0)
    question.cancel()
    with pytest.raises(TargetBusyError, match="the query was ended"):
        question.run()


def test_an_answer_goes_into_a_parquet_file_with_its_types(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown, out = str(picture(tmp_path, varied_snapshot())), tmp_path / "answer.parquet"
    sql = 'select id, strong, 1.5::decimal(4,1) as "a ""b""", [1::integer, 2] as list from handles;'
    assert run(["query", shown, sql, "--parquet", str(out)]) == 0
    assert out.stat().st_mode & 0o777 == 0o600
    with duckdb.connect(":memory:") as read:
        kinds = read.execute(f"select * from (describe select * from '{out}')").fetchall()  # noqa: S608 - ours
        count = read.execute(f"select count(*) from '{out}'").fetchone()  # noqa: S608 - ours
    assert [row[:2] for row in kinds] == [
        ("id", "VARCHAR"),
        ("strong", "BIGINT"),
        ('a "b"', "DECIMAL(4,1)"),
        ("list", "INTEGER[]"),
    ]
    assert count == (len(handle_rows(varied_snapshot())),)
    capsys.readouterr()
    assert run(["query", shown, sql, "--parquet", str(out)]) == 2
    assert "the file is there already" in capsys.readouterr().err
    assert run(["query", shown, "drop table handles", "--parquet", str(out), "--force"]) == 2
    assert capsys.readouterr().err.startswith("arc-inspector: the query was refused: ")
    assert run(["query", shown, sql, "--parquet", str(out), "--csv"]) == 2


def test_rows_that_csv_leaves_out_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = str(picture(tmp_path, varied_snapshot()))
    assert run(["query", shown, "select id from handles", "--csv", "--limit", "1"]) == 0
    assert "and more rows" in capsys.readouterr().err
