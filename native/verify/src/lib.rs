//! Models and property tests of the native runtime.

pub mod cases;
