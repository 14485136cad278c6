//! The control socket: any lines from a peer, any answers from the interpreter's worker.
//!
//! The input is readable: pieces of the peer's bytes, then answers of the worker. The byte 255
//! stands between the two parts and 254 between the pieces of each. Unless the input begins with
//! `!`, the peer greets first as a viewer does that may act.

use control::fuzzing::serve;
use segment::layout::LAYOUT_VERSION;

/// Run a case.
pub fn run(input: &[u8]) {
    let greeting =
        format!("{{\"op\":\"hello\",\"nonce\":1,\"layout\":{LAYOUT_VERSION},\"armed\":true}}\n");
    let (is_stranger, input) = match input.strip_prefix(b"!") {
        Some(rest) => (true, rest),
        None => (false, input),
    };
    let mut parts = input.splitn(2, |&byte| byte == 255);
    let mut pieces = || parts.next().map_or(Vec::new(), |part| part.split(|&b| b == 254).collect());
    let (mut sent, answers): (Vec<&[u8]>, Vec<&[u8]>) = (pieces(), pieces());
    if !is_stranger {
        sent.insert(0, greeting.as_bytes());
    }
    serve(&sent, &answers);
}
