//! Models and property tests of the native runtime.
