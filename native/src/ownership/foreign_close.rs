//! Closing objects of the host language that native code holds: the host's own close method, run by
//! the same lifecycle as every other close.
//!
//! A type of kind `Foreign` that was described as closing takes part. The host registers once the
//! function that native code calls to close; a request with arguments names them by a key of the
//! host's, which is released when the request ran or was taken back. A use that has to hold up the
//! close of such an object is entered and left by name: unlike a call through a pin it may end on
//! another thread than it began.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::foreign::{check_open, refuse};
use crate::foreign;
use crate::layout::Kind;
use crate::lifecycle::{self, Run};
use crate::runtime::{runtime, Runtime};
use crate::status::{Error, Result, Status};
use crate::types;

/// Closes a foreign object: with the arguments of a request by its key, or with the type's default
/// arguments if `key` is 0. The result is the length of an error's text, 0 when it closed.
pub type Close = unsafe extern "C" fn(key: u64, value: u64, text: *mut u8, capacity: usize) -> usize;
/// Releases a request's arguments.
pub type Let = unsafe extern "C" fn(key: u64);

const ERROR_BYTES: usize = 400;

/// The functions as numbers, 0: none. Set once; never unset while the process lives.
static CLOSE: AtomicUsize = AtomicUsize::new(0);
static LET: AtomicUsize = AtomicUsize::new(0);

/// Has foreign objects close through these functions from now on.
///
/// # Safety
/// Both stay callable from any thread until the host language has ended (`foreign::close`).
pub unsafe fn close_by(close: Close, let_go: Let) {
    LET.store(let_go as usize, Ordering::Release);
    CLOSE.store(close as usize, Ordering::Release);
}

/// Whether objects of a type are closed through us.
pub fn closes(runtime: &Runtime, type_id: u16) -> bool {
    types::kind_of(runtime, type_id) == Kind::Foreign as u8 && types::closes(runtime, type_id) && CLOSE.load(Ordering::Acquire) != 0
}

/// The arguments of a request.
struct Asked(u64);

impl Drop for Asked {
    fn drop(&mut self) {
        let let_go = LET.load(Ordering::Acquire);
        if self.0 == 0 || let_go == 0 {
            return;
        }
        // SAFETY: only `close_by` writes it, and only with such functions.
        let let_go: Let = unsafe { std::mem::transmute(let_go) };
        // SAFETY: the promise made to `close_by`; the gate is open.
        foreign::call(|| unsafe { let_go(self.0) });
    }
}

/// The close with a type's own arguments.
pub fn default_run() -> Run {
    run_with(0)
}

fn run_with(key: u64) -> Run {
    let asked = Asked(key);
    Box::new(move |value| run(&asked, value))
}

fn run(asked: &Asked, value: u64) -> Result<()> {
    let close = CLOSE.load(Ordering::Acquire);
    // SAFETY: only `close_by` writes it, only with such functions, and `closes` found it set.
    let close: Close = unsafe { std::mem::transmute(close) };
    let (mut text, mut length) = ([0; ERROR_BYTES], 0);
    // SAFETY: the promise made to `close_by`; the gate is open, and the text has that many bytes.
    let is_called = foreign::call(|| length = unsafe { close(asked.0, value, text.as_mut_ptr(), ERROR_BYTES) });
    if !is_called {
        return Err(Error::new(Status::Unavailable, "the interpreter has ended"));
    }
    if length == 0 {
        return Ok(());
    }
    Err(Error::new(Status::CloseFailed, String::from_utf8_lossy(&text[..length.min(ERROR_BYTES)]).into_owned()))
}

/// Asks for the close of a handle of that type, with the arguments by the host's `key`, 0: the type's own. As `lifecycle::request`.
pub fn request(type_id: u16, handle: u64, key: u64) -> Result<()> {
    let run = run_with(key);
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
