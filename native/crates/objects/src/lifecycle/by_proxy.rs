//! Closing by the close method of a host's proxy, which may be a subclass's own:
//! `class Mine(Journal): def close(self): …`.
//!
//! Such a method runs the program's code around the close of the object, uses the open object, and
//! asks for the close itself. So it runs outside any request: a viewer's request waits as every
//! request does, for calls in flight and for the owner thread; then it is taken back, and the
//! thread that would have closed the object calls the proxy's method.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::close::{close_with_defaults, reopen};
use super::lives::{life_of, lives, show, type_of, ByKey, Entry};
use super::obstacle::obstacle;
use super::watch::{tell, told_of, CloseNews};
use crate::host_gate;
use recorder::events;
use recorder::runtime::Runtime;
use segment::layout::ResourceState;
use segment::registry::{is_current, shown, Slot};
use segment::status::{Error, Result, Status};
use segment::sync::Guard;

/// Closes the object of a handle by the method of the proxy that owns the handle. If
/// `is_asked_only`, the method is looked for and not called. The result is the length of an error's
/// text, 0 if there is none, or `NO_METHOD`.
pub type Close =
    unsafe extern "C" fn(handle: u64, is_asked_only: i32, text: *mut u8, capacity: usize) -> i32;

/// The proxy has no close method of its own, or no proxy owns the handle.
const NO_METHOD: i32 = -1;
const ERROR_BYTES: usize = 400;

/// The function as a number, 0: none. It is never unset while the process lives, so it can be
/// called after it was read.
static CLOSE: AtomicUsize = AtomicUsize::new(0);

/// Has viewers close through the proxies' own methods from now on.
///
/// # Safety
/// The function stays callable from any thread until the host language has ended
/// (`host_gate::close`).
pub unsafe fn close_by_proxies(close: Close) {
    CLOSE.store(close as usize, Ordering::Release);
}

/// Whether a proxy with a close method of its own owns the handle.
pub fn has_method(handle: u64) -> bool {
    call(handle, true).is_some()
}

/// Calls the host; None: there is no such method.
fn call(handle: u64, is_asked_only: bool) -> Option<std::result::Result<(), String>> {
    // Acquire pairs with the Release in `close_by_proxies`.
    let close = CLOSE.load(Ordering::Acquire);
    if close == 0 {
        return None;
    }
    // SAFETY: only `close_by_proxies` writes it, and only with such functions.
    let close: Close = unsafe { std::mem::transmute(close) };
    let (mut text, mut answer) = ([0; ERROR_BYTES], NO_METHOD);
    host_gate::call(|| {
        // SAFETY: the promise made to `close_by_proxies`; the gate is open, and the text has that
        // many bytes.
        answer = unsafe { close(handle, i32::from(is_asked_only), text.as_mut_ptr(), ERROR_BYTES) }
    });
    match usize::try_from(answer) {
        Err(_) => None,
        Ok(0) => Some(Ok(())),
        Ok(length) => {
            Some(Err(String::from_utf8_lossy(&text[..length.min(ERROR_BYTES)]).into_owned()))
        }
    }
}

/// Whether the request of an entry is for a proxy that still owns its handle.
pub(super) fn proxy_of(runtime: &Runtime, entry: &mut Entry) -> Option<u64> {
    let handle = entry.proxy.take()?;
    let is_live = |slot: &Slot<'_>| is_current(slot.word0(), handle) && slot.word0().is_live();
    runtime.table.slot_of(handle).filter(is_live).map(|_| handle)
}

/// Takes the request of the object at `address` back and calls the method of the proxy that owns
/// `handle`.
pub(super) fn run(
    runtime: &Runtime,
    inner: Guard<'_, ByKey>,
    address: u64,
    handle: u64,
) -> Result<()> {
    reopen(runtime, inner, address);
    match call(handle, false) {
        // the proxy is gone since
        None => close_with_defaults(runtime, handle),
        Some(Ok(())) => conclude(runtime, address, handle),
        Some(Err(message)) => Err(fail(runtime, address, handle, message)),
    }
}

/// The outcome of a method that returned.
fn conclude(runtime: &Runtime, address: u64, handle: u64) -> Result<()> {
    let mut inner = lives().inner.lock();
    let Some(entry) = inner.get_mut(&address) else { return Ok(()) };
    if entry.is_pending() {
        let reason = obstacle(runtime, address, entry)
            .map_or_else(|| "its close runs now".to_owned(), |it| it.reason(runtime));
        return Err(Error::new(Status::Pending, format!("{reason}: close of {}", shown(handle))));
    }
    if life_of(runtime, entry).is_none_or(|life| life.state() == ResourceState::Closed) {
        return Ok(());
    }
    let reason = "the proxy's own close method returned and left it open".to_owned();
    entry.withdrawn = Some(reason.clone());
    let told = told_of(entry);
    drop(inner);
    tell(CloseNews::Ended, &told, 0);
    Err(Error::new(Status::CloseRefused, format!("{reason}: {}", shown(handle))))
}

/// The error of a method that raised; a resource that is still open shows it.
fn fail(runtime: &Runtime, address: u64, handle: u64, message: String) -> Error {
    let error = Error::new(Status::CloseFailed, format!("{message}: close of {}", shown(handle)));
    let mut inner = lives().inner.lock();
    let Some(entry) = inner.get_mut(&address).filter(|entry| !entry.is_pending()) else {
        return error;
    };
    if life_of(runtime, entry).is_some_and(|life| life.state() == ResourceState::Open) {
        let change = events::change(runtime, type_of(runtime, entry), false);
        show(runtime, entry, ResourceState::CloseFailed, Some(change));
    }
    let told = told_of(entry);
    drop(inner);
    tell(CloseNews::Ended, &told, 0);
    error
}
