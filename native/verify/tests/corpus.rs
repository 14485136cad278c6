//! The cases that fuzzing kept: each once more.

#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

use std::path::Path;

use arc_inspector_verify::cases;

/// The cases of a subject, one a line, in hexadecimal digits.
fn corpus(subject: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus");
    let text = std::fs::read_to_string(folder.join(subject).with_extension("txt")).unwrap();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    let found: Vec<_> =
        text.lines().map(|line| line.as_bytes().chunks(2).map(byte).collect()).collect();
    assert!(found.len() > 10, "{subject}: the corpus is not there");
    found
}

#[test]
fn segments_that_the_fuzzer_kept() {
    corpus("native-segment").iter().for_each(|case| cases::segment::run(case));
}

#[test]
fn peers_of_the_control_socket_that_the_fuzzer_kept() {
    corpus("native-control").iter().for_each(|case| cases::control::run(case));
}

#[test]
fn libraries_that_the_fuzzer_kept() {
    corpus("native-elf").iter().for_each(|case| cases::elf::run(case));
}

#[test]
fn destructors_that_the_fuzzer_kept() {
    corpus("native-whatif").iter().for_each(|case| cases::whatif::run(case));
}
