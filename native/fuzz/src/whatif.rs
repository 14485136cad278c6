//! `arc_inspector_verify::cases::whatif` under libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| arc_inspector_verify::cases::whatif::run(input));
