//! The control socket's lines fed with anything.

use control::wire::{self, BadLine, LineBuffer, LineTooLong, MAX_LINE_BYTES};
use proptest::collection::vec;
use proptest::prelude::*;

/// Bytes that are nearly requests.
fn nearly_a_request() -> impl Strategy<Value = Vec<u8>> {
    let field = prop_oneof![
        Just("\"nonce\": 3".to_owned()),
        any::<i64>().prop_map(|number| format!("\"nonce\": {number}")),
        "\"op\": \"(hello|ping|level|close|gc|[a-z]{0,6})\"",
        any::<f64>().prop_map(|number| format!("\"deadline_ms\": {number:e}")),
        any::<u64>().prop_map(|number| format!("\"deadline_ms\": {number}")),
        any::<u32>().prop_map(|number| format!("\"level\": {number}, \"layout\": {number}")),
        vec(any::<u64>(), 0..5).prop_map(|handles| format!("\"handles\": {handles:?}")),
        "\"[a-z]{1,8}\": (null|true|\\[\\[\\[|\\{\\}|\"[^\"\\\\]{0,9}\")",
    ];
    vec(field, 0..6).prop_map(|fields| format!("{{{}}}", fields.join(", ")).into_bytes())
}

fn is_one_line(answer: &[u8]) -> bool {
    answer.last() == Some(&b'\n')
        && answer.iter().filter(|&&byte| byte == b'\n').count() == 1
        && answer.len() <= MAX_LINE_BYTES
}

/// Read lines until there are no more; the lines of a `LineBuffer` for these pieces.
fn lines_of(pieces: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut buffer = LineBuffer::default();
    let mut lines = Vec::new();
    for piece in pieces {
        buffer.push(piece);
        while let Ok(Some(line)) = buffer.next_line() {
            lines.push(line.to_vec());
        }
    }
    lines
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_a_request_or_a_reason(bytes in prop_oneof![vec(any::<u8>(), 0..200), nearly_a_request()]) {
        let why = match wire::parse(&bytes) {
            Ok(request) => {
                prop_assert!(request.deadline.as_secs() <= 600);
                return Ok(());
            }
            Err(BadLine::Garbage(why) | BadLine::Refused { why, .. }) => why,
        };
        prop_assert!(is_one_line(&wire::failure(0, "BadArgument", &why)), "{}", why);
    }

    #[test]
    fn any_reason_makes_one_line(text in any::<String>(), nonce in any::<u64>()) {
        prop_assert!(is_one_line(&wire::failure(nonce, "Io", &text)));
    }

    #[test]
    fn lines_do_not_depend_on_the_pieces_they_come_in(pieces in vec(vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..20), 0..20)) {
        let whole: Vec<u8> = pieces.concat();
        let mut expected: Vec<Vec<u8>> = whole.split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
        expected.pop();
        prop_assert_eq!(lines_of(&pieces), expected);
    }
}

#[test]
fn a_line_of_the_greatest_length_is_taken_and_one_byte_more_is_not() {
    let mut buffer = LineBuffer::default();
    buffer.push(&vec![b'x'; MAX_LINE_BYTES - 1]);
    assert_eq!(buffer.next_line(), Ok(None));
    buffer.push(b"\n");
    assert_eq!(buffer.next_line().map(|line| line.map(<[u8]>::len)), Ok(Some(MAX_LINE_BYTES - 1)));
    assert!(buffer.is_empty());
    buffer.push(&vec![b'x'; MAX_LINE_BYTES]);
    assert_eq!(buffer.next_line(), Err(LineTooLong));
}

#[test]
fn an_answer_too_long_for_a_line_says_so() {
    let mut fields = wire::Fields::new();
    fields.insert("text".into(), "x".repeat(MAX_LINE_BYTES).into());
    let answer = String::from_utf8(wire::success(9, fields)).expect("UTF-8");
    assert!(answer.starts_with("{\"error\":\"the answer has 10486"), "{answer}");
    assert!(answer.contains("\"nonce\":9"));
}
