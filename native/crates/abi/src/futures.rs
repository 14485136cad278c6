//! Asynchronous calls that have not ended: the result that each will have.

use std::hash::BuildHasherDefault;

use follow::places::Places;
use segment::sync::Lock;

use crate::acts::Outcome;

/// A call.
#[derive(Clone, Copy, Debug)]
pub struct Pending {
    /// Its result, if that can give handles.
    pub outcome: Option<&'static Outcome>,
    /// Row of the call, 0: it has none.
    pub row: u64,
}

static PENDING: Lock<Places<u64, Pending>> =
    Lock::new(Places::with_hasher(BuildHasherDefault::new()));

/// A call has begun.
pub fn begin(future: u64, pending: Pending) {
    PENDING.lock().insert(future, pending);
}

/// The call of a future.
pub fn get(future: u64) -> Option<Pending> {
    PENDING.lock().get(&future).copied()
}

/// The host frees a future.
pub fn end(future: u64) -> Option<Pending> {
    PENDING.lock().remove(&future)
}

/// Forgets all.
pub fn clear() {
    *PENDING.lock() = Places::default();
}

/// Holds the table across a fork.
pub fn hold() {
    PENDING.hold();
}

/// Releases it.
///
/// # Safety
/// After `hold`, by the same thread or its copy in the child.
pub unsafe fn release() {
    // SAFETY: the caller's promise.
    unsafe { PENDING.let_go() };
}
