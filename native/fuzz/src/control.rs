//! `arc_inspector_verify::cases::control` under libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| arc_inspector_verify::cases::control::run(input));
