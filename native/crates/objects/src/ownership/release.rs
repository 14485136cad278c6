//! Giving up a reference: the strategy counts first, and the lifecycle ends the row when nothing is
//! left.

use super::thin;
use crate::lifecycle;
use recorder::runtime::Runtime;
use segment::layout::Kind;
use segment::status::Result;

/// Gives up the reference that `handle` names. Calls in flight on it go on, and the last of them
/// releases; while a close of the object is pending, that does. Any thread.
#[inline]
pub fn release(runtime: &Runtime, handle: u64) -> Result<()> {
    let (slot, spec) = lifecycle::live(runtime, handle)?;
    if spec.kind == Kind::Thin && !thin::release_one(runtime, handle)? {
        return Ok(());
    }
    lifecycle::end_row(runtime, handle, &slot, spec)
}
