//! The work of higher floors at the end of a call and of a thread: three functions, set once by the
//! first type whose objects need them.

use std::sync::atomic::{AtomicPtr, Ordering};

use crate::runtime::Runtime;

/// The functions.
pub struct Upward {
    /// A call on a handle has ended and found that something was left to the last of them.
    pub after_call: fn(&Runtime, u64),
    /// The calling thread passes a safe point.
    pub drain_here: fn(),
    /// The thread with this index has ended.
    pub owner_ended: fn(&Runtime, u16),
}

static UPWARD: AtomicPtr<Upward> = AtomicPtr::new(std::ptr::null_mut());

/// Sets the functions. Any thread, any number of times.
pub fn set(upward: &'static Upward) {
    // Release pairs with the Acquire in `upward`
    UPWARD.store(std::ptr::from_ref(upward).cast_mut(), Ordering::Release);
}

/// The functions, None: nothing needs them yet.
#[inline]
pub fn upward() -> Option<&'static Upward> {
    // SAFETY: only `set` stores here, pointers to statics.
    unsafe { UPWARD.load(Ordering::Acquire).as_ref() }
}
