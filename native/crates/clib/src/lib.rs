//! The library for C and C++ programs: the functions of `capi`, with all that they need.

pub use capi::*;
