//! The host language's own close method, for objects of it that native code holds.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::lives::Run;
use crate::host_gate;
use recorder::runtime::Runtime;
use recorder::types;
use segment::layout::Kind;
use segment::status::{Error, Result, Status};

/// Closes a foreign object: with the arguments of a request by its key, or with the type's default
/// arguments if `key` is 0. The result is the length of an error's text, 0 when it closed.
pub type Close =
    unsafe extern "C" fn(key: u64, value: u64, text: *mut u8, capacity: usize) -> usize;
/// Releases a request's arguments.
pub type Let = unsafe extern "C" fn(key: u64);

const ERROR_BYTES: usize = 400;

/// The functions as numbers, 0: none. Set once; never unset while the process lives.
static CLOSE: AtomicUsize = AtomicUsize::new(0);
static LET: AtomicUsize = AtomicUsize::new(0);

/// Has foreign objects close through these functions from now on.
///
/// # Safety
/// Both stay callable from any thread until the host language has ended (`host_gate::close`).
pub unsafe fn close_by(close: Close, let_go: Let) {
    LET.store(let_go as usize, Ordering::Release);
    CLOSE.store(close as usize, Ordering::Release);
}

/// Whether objects of a type are closed through us.
pub fn closes(runtime: &Runtime, type_id: u16) -> bool {
    types::kind_of(runtime, type_id) == Kind::Foreign as u8
        && types::closes(runtime, type_id)
        && CLOSE.load(Ordering::Acquire) != 0
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
        host_gate::call(|| unsafe { let_go(self.0) });
    }
}

/// The close with a type's own arguments.
pub(super) fn default_run() -> Run {
    request_of(0)
}

/// The close with the arguments by the host's `key`, 0: the type's own.
pub fn request_of(key: u64) -> Run {
    let asked = Asked(key);
    Box::new(move |value| run(&asked, value))
}

fn run(asked: &Asked, value: u64) -> Result<()> {
    let close = CLOSE.load(Ordering::Acquire);
    // SAFETY: only `close_by` writes it, only with such functions, and `closes` found it set.
    let close: Close = unsafe { std::mem::transmute(close) };
    let (mut text, mut length) = ([0; ERROR_BYTES], 0);
    let is_called = host_gate::call(|| {
        // SAFETY: the promise made to `close_by`; the gate is open, and the text has that many bytes.
        length = unsafe { close(asked.0, value, text.as_mut_ptr(), ERROR_BYTES) }
    });
    if !is_called {
        return Err(Error::new(Status::Unavailable, "the interpreter has ended"));
    }
    if length == 0 {
        return Ok(());
    }
    Err(Error::new(
        Status::CloseFailed,
        String::from_utf8_lossy(&text[..length.min(ERROR_BYTES)]).into_owned(),
    ))
}
