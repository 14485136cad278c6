//! The lifecycle's work for the recorder at the end of a call and of a thread.

use super::close::{drain_here, owner_ended, settle};
use super::release::finish_if_idle;
use recorder::runtime::Runtime;
use recorder::upward::Upward;
use segment::layout::ReferenceState;

/// For the specifications of types.
pub static UPWARD: Upward = Upward {
    after_call,
    drain_here: || {
        drain_here();
    },
    owner_ended,
};

/// A call on `handle` has ended and found that something was left to the last of them.
#[cold]
fn after_call(runtime: &Runtime, handle: u64) {
    let Some(slot) = runtime.table.slot_of(handle) else { return };
    let word = slot.word0();
    if word.is_close_pending() {
        // if the row now belongs to another object, this settles that object, which does no harm
        let _ = settle(runtime, slot.address());
    }
    if word.reference() == ReferenceState::ReleaseRequested as u8 {
        finish_if_idle(runtime, handle);
    }
}
