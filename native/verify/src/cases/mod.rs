//! Cases of the fuzzers: each puts any bytes through a part of the native half. A panic is a
//! finding. `native/fuzz` gives them to libFuzzer; a test repeats those of the corpus.

pub mod control;
pub mod elf;
#[path = "../../../crates/viewer/tests/image/mod.rs"]
mod image;
pub mod segment;
pub mod whatif;
