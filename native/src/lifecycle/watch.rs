//! The listener for pending closes, so that no event loop has to poll for them.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::deadline::withdraw_if_due;
use super::{key_of, names, Entry};
use crate::foreign;
use crate::runtime::Runtime;

/// The kind of news for a listener.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseNews {
    /// A close waits for its owner, the thread in `thread`.
    WaitsForOwner = 1,
    /// A close request is over: closed, failed, cancelled or withdrawn.
    Ended = 2,
}

/// Called on any thread and without any lock: the kind of news, a handle of the object, and a
/// thread's index or 0.
pub type Listener = unsafe extern "C" fn(news: u32, handle: u64, thread: u32);

/// The listener as a number, 0: none. It is never unset while the process lives, so it can be called after it was read.
static LISTENER: AtomicUsize = AtomicUsize::new(0);

/// Informs `listener` of pending closes from now on.
///
/// # Safety
/// It stays callable until the host language has ended (`foreign::close`).
pub unsafe fn listen(listener: Option<Listener>) {
    LISTENER.store(listener.map_or(0, |listener| listener as usize), Ordering::Release);
}

/// Informs the listener of each handle. No lock is held.
pub(super) fn tell(news: CloseNews, handles: &[u64], thread: u16) {
    // Acquire pairs with the Release in `listen`.
    let listener = LISTENER.load(Ordering::Acquire);
    if listener == 0 {
        return;
    }
    // SAFETY: only `listen` writes it, and only with such functions.
    let listener: Listener = unsafe { std::mem::transmute(listener) };
    for &handle in handles {
        foreign::call(|| {
            // SAFETY: the promise made to `listen`; the gate is open.
            unsafe { listener(news as u32, handle, u32::from(thread)) };
        });
    }
}

/// The handles of an entry to report, if there is a listener.
pub(super) fn told_of(entry: &Entry) -> Vec<u64> {
    if LISTENER.load(Ordering::Relaxed) == 0 {
        return Vec::new();
    }
    entry.handles.clone()
}

/// How the newest close request of a handle's object ended: `Ok` for closed, `Pending` while it waits or runs.
pub fn close_result(runtime: &Runtime, handle: u64) -> crate::status::Result<()> {
    use crate::layout::ResourceState;
    use crate::registry::shown;
    use crate::status::{Error, Status};

    withdraw_if_due(runtime, handle);
    let inner = runtime.lives.inner.lock();
    let slot = runtime.table.slot_of(handle).filter(|slot| names(runtime, slot.word0(), handle) && slot.word0().is_live());
    let slot = slot.ok_or_else(|| super::refusal(runtime, handle, 0))?;
    if slot.word0().resource() == ResourceState::Closed as u8 {
        return Ok(());
    }
    let entry = inner.get(&key_of(&slot, handle));
    let entry = entry.ok_or_else(|| Error::new(Status::BadArgument, format!("its type does not close: {}", shown(handle))))?;
    let name = shown(handle);
    match &entry.withdrawn {
        _ if entry.is_pending() => Err(Error::new(Status::Pending, format!("its close is pending: {name}"))),
        Some(reason) => Err(Error::new(Status::CloseFailed, format!("{reason}: close of {name}"))),
        None if slot.word0().resource() == ResourceState::CloseFailed as u8 => {
            Err(Error::new(Status::CloseFailed, format!("its close method failed: close of {name}")))
        }
        None => Err(Error::new(Status::BadArgument, format!("no close of it was asked for: {name}"))),
    }
}
