//! Objects of the host language: its end.

use std::time::Duration;

use super::catch_value;
use crate::foreign;

/// The host language ends: its objects are called no more. Waits for calls that are on their way, at most `patience_millis`; 1 when
/// all have ended. Call it without the interpreter's lock.
#[no_mangle]
pub extern "C" fn ai_foreign_close(patience_millis: u32) -> i32 {
    catch_value(0, || i32::from(foreign::close(Duration::from_millis(u64::from(patience_millis)))))
}
