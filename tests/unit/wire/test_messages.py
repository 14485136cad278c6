"""Messages of the control socket, in both directions."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.errors import ControlError
from inspector.wire.messages import (
    MAX_LINE_BYTES,
    Request,
    decode_answer,
    decode_job,
    encode_failure,
    encode_request,
    encode_success,
)


def test_a_request_is_one_line_with_nonce_operation_and_deadline() -> None:
    line = encode_request(
        Request(
            nonce=7, op="close", deadline_ms=500, fields={"handles": [2], "although_held": False}
        )
    )
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert json.loads(line) == {
        "nonce": 7,
        "op": "close",
        "deadline_ms": 500,
        "handles": [2],
        "although_held": False,
    }


def test_a_handle_of_64_bits_survives_the_way_there() -> None:
    handle = (1 << 64) - 2
    assert (
        json.loads(
            encode_request(Request(nonce=1, op="cancel", deadline_ms=1, fields={"handle": handle}))
        )["handle"]
        == handle
    )


def test_a_request_that_the_other_side_would_refuse_for_its_length_is_not_sent() -> None:
    with pytest.raises(ControlError, match="too long"):
        encode_request(
            Request(nonce=1, op="close", deadline_ms=1, fields={"handles": [1 << 60] * 60_000})
        )


def test_an_answer_keeps_its_own_fields_apart_from_the_envelope() -> None:
    answer = decode_answer(b'{"nonce":7,"ok":true,"collected":312}\n')
    assert (answer.nonce, answer.ok, answer.error, dict(answer.fields)) == (
        7,
        True,
        "",
        {"collected": 312},
    )


def test_the_error_of_an_answer_becomes_one_line() -> None:
    answer = decode_answer(
        json.dumps(
            {"nonce": 1, "ok": False, "error": "first\n  second", "status": "GivenUp"}
        ).encode()
    )
    assert (answer.error, answer.status) == ("first second", "GivenUp")


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"{",
        b"[]",
        b"7",
        b"null",
        b'"ok"',
        b"\xff\xfe",
        b'{"ok":1}',
        b'{"nonce":"x","ok":true}',
        b"{}",
        b"[" * 100_000,
    ],
)
def test_what_is_no_answer_is_one_clear_error(line: bytes) -> None:
    with pytest.raises(ControlError) as caught:
        decode_answer(line)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_a_line_over_the_limit_is_not_even_parsed() -> None:
    with pytest.raises(ControlError, match="too long"):
        decode_answer(b" " * (MAX_LINE_BYTES + 1))


@given(st.binary(max_size=200))
def test_any_bytes_are_an_answer_or_a_control_error(line: bytes) -> None:
    try:
        answer = decode_answer(line)
    except ControlError:
        return
    assert isinstance(answer.ok, bool)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.dictionaries(st.text(max_size=5), inner),
    )
)
def test_any_json_is_a_job_or_a_control_error(value: object) -> None:
    try:
        job = decode_job(json.dumps(value).encode())
    except ControlError:
        return
    assert isinstance(job.op, str)


def test_a_job_has_a_number_and_an_operation() -> None:
    job = decode_job(b'{"handle":88,"job":3,"op":"referrers"}')
    assert (job.number, job.op, dict(job.fields)) == (3, "referrers", {"handle": 88})


def test_replies_of_the_worker_have_no_newline_and_say_whether_it_was_done() -> None:
    assert encode_success({"rows": 4}) == b'{"ok":true,"rows":4}'
    assert json.loads(encode_failure("it\nbroke", status="Closed")) == {
        "ok": False,
        "error": "it broke",
        "status": "Closed",
    }
