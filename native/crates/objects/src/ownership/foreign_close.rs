//! Closing objects of the host language that native code holds: the host's own close method, run by
//! the same lifecycle as every other close.
//!
//! A type of kind `Foreign` that was described as closing takes part. The host registers once the
//! function that native code calls to close; a request with arguments names them by a key of the
//! host's, which is released when the request ran or was taken back. A use that has to hold up the
//! close of such an object is entered and left by name: unlike a call through a pin it may end on
//! another thread than it began.

use super::foreign::{check_open, refuse};
use crate::lifecycle;
use recorder::runtime::runtime;
use segment::status::Result;

/// Asks for the close of a handle of that type, with the arguments by the host's `key`, 0: the
/// type's own. As `lifecycle::request`.
pub fn request(type_id: u16, handle: u64, key: u64) -> Result<()> {
    let run = lifecycle::request_of(key);
    check_open(type_id, handle)?;
    lifecycle::request(runtime(), handle, run)
}

/// A use of an object of that type begins, for which a close waits; its value.
pub fn enter(type_id: u16, handle: u64) -> Result<u64> {
    let runtime = runtime();
    lifecycle::drain_here();
    check_open(type_id, handle)?;
    lifecycle::enter_foreign(runtime, handle).ok_or_else(|| refuse(runtime, type_id, handle))
}

/// Ends that use, on any thread. The last one runs the close that waits. After the handle was
/// deleted it does nothing.
pub fn leave(handle: u64) {
    lifecycle::leave_foreign(runtime(), handle);
}
