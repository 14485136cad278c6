"""Private parts are left out of whatever leaves the tool, and the rest stays as it is."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.model.codec import encode
from inspector.model.fields import to_plain
from inspector.model.holders import NamedHolder, NativeHolders, PathStep, RetainerPath
from inspector.model.private_texts import PARTS, Private, Texts
from inspector.model.redaction import Kept, Redactor
from inspector.model.snapshot import Handles, Snapshot
from inspector.source_places import is_standard
from tests.helpers.secrets import FRAMES, PASSWORD, PRIVATE, SECRETS, secret_snapshot, secrets_in
from tests.helpers.varied import varied_snapshot


def plain(snapshot: Snapshot) -> str:
    return json.dumps(
        [to_plain(snapshot, leave_out=frozenset({"handles", "vitals"}))], ensure_ascii=False
    )


def test_no_private_word_of_a_snapshot_is_left() -> None:
    assert secrets_in(plain(secret_snapshot())) == list(SECRETS)
    redacted = Redactor(PRIVATE).snapshot(secret_snapshot())
    assert secrets_in(plain(redacted)) == []
    assert "bob" not in plain(redacted)
    assert redacted.target.command == ""


def test_the_columns_of_a_redacted_snapshot_are_those_of_the_snapshot() -> None:
    snapshot = secret_snapshot()
    redacted = Redactor(PRIVATE).snapshot(snapshot)
    assert redacted.handles is snapshot.handles
    assert redacted.vitals.live == snapshot.vitals.live
    assert [row.name for row in redacted.types.values()] == [
        row.name for row in snapshot.types.values()
    ]


def test_folders_of_every_system_stay_readable_and_their_files_do_not() -> None:
    folders = "/var/tmp has 1 MiB left; /tmp is full; /dev/shm; "  # noqa: S108 - a text
    told = Redactor(PRIVATE).text(f"{folders}/tmp/plan.txt")  # noqa: S108
    assert told == f"{folders}…/plan.txt"


def test_files_of_the_project_and_of_packages_stay_readable() -> None:
    redacted = Redactor(PRIVATE).snapshot(secret_snapshot())
    files = [frame.file for frame in redacted.sites[1].frames]
    assert files == [
        "store/items.py",
        "…/decode.py",
        "…/site-packages/bdkpython/bdk.py",
        "…/lib/python3.11/threading.py",
        "…/libnative.so",
    ]
    assert [frame.line for frame in redacted.sites[1].frames] == [each.line for each in FRAMES]
    assert is_standard(files[3])
    assert redacted.sites[1].short() == secret_snapshot().sites[1].short()


def test_a_snapshot_without_private_parts_stays_equal_but_for_its_paths() -> None:
    snapshot = varied_snapshot()
    redacted = Redactor(Private(), Kept(frozenset({"paths", "command"}))).snapshot(snapshot)
    assert encode(redacted) == encode(snapshot)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.key)
def test_a_part_that_is_kept_is_there_and_not_counted_as_left_out(part: object) -> None:
    redactor = Redactor(PRIVATE, Kept(frozenset({part.key})))  # type: ignore[attr-defined]
    redacted = redactor.snapshot(secret_snapshot())
    redactor.of(NativeHolders((NamedHolder("recent of customers", 1),)))
    assert part not in [each.part for each in redactor.left_out()]
    if part.key == "command":  # type: ignore[attr-defined]
        assert redacted.target.command.endswith("--token topsecret")


def test_what_was_left_out_is_said_with_its_number() -> None:
    redactor = Redactor(PRIVATE)
    redactor.snapshot(secret_snapshot())
    assert [each.part.key for each in redactor.left_out()] == ["command", "paths", "names"]
    assert redactor.sentence().startswith("left out: command line (")
    assert Redactor(PRIVATE).sentence() == ""


def test_labels_and_keys_of_the_program_are_left_out_of_holders() -> None:
    redactor = Redactor(PRIVATE)
    path = RetainerPath(
        (
            PathStep("global", "global app.sessions", "/home/alice/work/app/a.py", 3),
            PathStep("item", "['card of customers'] of a dict of 2"),
        ),
        is_rooted=True,
    )
    redacted = redactor.of(path)
    assert [step.text for step in redacted.steps] == [
        "global app.sessions",
        "[<label>] of a dict of 2",
    ]
    assert redacted.steps[0].file == "a.py"
    cut = redactor.of(PathStep("item", "['a key that was cut] of a dict of 2"))
    assert cut.text == "[<label>] of a dict of 2"
    holders = NativeHolders((NamedHolder("customers", 1), NamedHolder("items", 2, "TodoList")))
    assert [each.label for each in redactor.of(holders).named] == ["<label>", "items"]
    kept = Redactor(PRIVATE, Kept(frozenset({"labels"}))).of(holders)
    assert kept == holders


def test_json_is_redacted_by_the_same_rules() -> None:
    redactor = Redactor(PRIVATE)
    redactor.learn(secret_snapshot())
    value = {
        "command": f"app --password={PASSWORD}",
        "file": "/home/alice/work/app/a b/x.py",
        "rows": [{"text": f"alice said {PASSWORD}", "count": 3, "unknown": None}],
    }
    assert redactor.json(value) == {
        "command": None,
        "file": "a b/x.py",
        "rows": [{"text": "<user> said <secret>", "count": 3, "unknown": None}],
    }


@given(st.text(alphabet="/~ alice.homebuildst-7=:'<>@tokenUsr…", max_size=60))
def test_redacting_twice_is_redacting_once(text: str) -> None:
    once = Texts(PRIVATE, ()).text(text)
    assert Texts(PRIVATE, ()).text(once) == once
    assert "/home/alice" not in once


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("3/s", "3/s"),
        ("2 / 5 handles, n/a", "2 / 5 handles, n/a"),
        ("Tokenizer: 5 handles", "Tokenizer: 5 handles"),
        ('site:"items.py:41 add"', 'site:"items.py:41 add"'),
        ("realice", "realice"),
        ("['card of Bob'] of a dict of 3", "[<label>] of a dict of 3"),
        ("['a key that was cut] of a dict of 3", "[<label>] of a dict of 3"),
        ("[3] of a list of 4", "[3] of a list of 4"),
        ("[?] of a list of 4", "[?] of a list of 4"),
        ("native: “card of Bob” (1 reference)", "native: “<label>” (1 reference)"),
        ("alice_worker", "<user>_worker"),
        ("postgres://alice:pw@db/x", "postgres://<secret>@db/x"),
        ("/proc/7/maps is empty", "/proc/7/maps is empty"),
        ("see /opt/vendor/customers/x.py:3", "see …/x.py:3"),
    ],
)
def test_texts_keep_what_tells_nothing(text: str, shown: str) -> None:
    assert Texts(PRIVATE, ()).text(text) == shown


def test_names_that_tell_nothing_about_a_person_are_kept() -> None:
    texts = Texts(Private(users=frozenset({"root", "al"}), hosts=frozenset({"localhost"})), ())
    assert texts.text("root of al at localhost") == "root of al at localhost"


def test_the_user_in_any_home_folder_is_learnt() -> None:
    redactor = Redactor(Private())
    snapshot = replace(
        secret_snapshot(), target=replace(secret_snapshot().target, reason="carol was here")
    )
    redactor.of("/home/carol/x.py")
    assert redactor.text("carol was here") == "<user> was here"
    assert np.array_equal(redactor.snapshot(snapshot).handles.ids, snapshot.handles.ids)
    assert isinstance(redactor.of(snapshot.handles), Handles)
