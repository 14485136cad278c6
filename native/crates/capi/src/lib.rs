//! The C interface for programs: start and stop, threads, sites, types, rows, levels.
//!
//! No logic: each function checks its arguments, catches panics and returns a status. The interface
//! of viewers and of Python is the crate `ffi`, above this crate, which C programs link alone.

pub mod levels;
pub mod recorder;
pub mod rows;

use std::any::Any;
use std::cell::RefCell;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::slice;

use segment::status::{Error, Result, Status};

thread_local! {
    /// The newest failure of this thread's calls that were given no place for it.
    static NEWEST: RefCell<Option<Error>> = const { RefCell::new(None) };
}

/// Bytes of the message in [`AiError`].
// written out in the struct too: the header names no constant of this file
const MESSAGE_BYTES: usize = 504;

/// Why a call failed: the status and one line of UTF-8, cut at a character when it is longer.
#[repr(C)]
pub struct AiError {
    /// `Status`.
    pub status: i32,
    /// Bytes of `message` in use.
    pub length: u32,
    /// UTF-8, not terminated.
    pub message: [u8; 504],
}

/// Text of the caller: UTF-8, borrowed for the call. `data` may be NULL when `length` is 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct AiText {
    /// First byte.
    pub data: *const u8,
    /// Bytes.
    pub length: usize,
}

impl AiText {
    /// The text.
    ///
    /// # Safety
    /// `data` points to `length` readable bytes that outlive `'a`, or `length` is 0.
    pub unsafe fn read<'a>(self) -> Result<&'a str> {
        // SAFETY: the caller's promise, passed on.
        unsafe { text(self.data, self.length) }
    }
}

/// Bytes for the caller, which returns them with `ai_buffer_free`.
#[repr(C)]
pub struct AiBuffer {
    /// First byte; NULL when there are none.
    pub data: *mut u8,
    /// Bytes.
    pub length: usize,
    /// Bytes allocated.
    pub capacity: usize,
}

impl AiBuffer {
    /// A buffer that owns `bytes`.
    pub fn from_vec(bytes: Vec<u8>) -> Self {
        let mut bytes = std::mem::ManuallyDrop::new(bytes);
        Self { data: bytes.as_mut_ptr(), length: bytes.len(), capacity: bytes.capacity() }
    }
}

/// Runs `body`; a failure or a panic becomes a status and a line, in `error` or, when that is NULL,
/// for [`ai_last_error`].
///
/// # Safety
/// `error` is NULL or points to memory for an [`AiError`].
pub unsafe fn catch(error: *mut AiError, body: impl FnOnce() -> Result<()>) -> i32 {
    let outcome =
        catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| Err(panicked(panic.as_ref())));
    match outcome {
        Ok(()) => Status::Ok as i32,
        Err(failure) => {
            let status = failure.status as i32;
            if error.is_null() {
                remember(failure);
            } else {
                // SAFETY: the caller's promise about `error`.
                unsafe { report(error, &failure) };
            }
            status
        }
    }
}

/// As [`catch`], for a call with a result, which is written to `out`; without such a place `body`
/// does not run.
///
/// # Safety
/// `out` is NULL or points to memory for a result that no other code uses, `error` is NULL or
/// points to memory for an [`AiError`].
pub unsafe fn catch_result<T>(
    out: *mut T,
    error: *mut AiError,
    body: impl FnOnce() -> Result<T>,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch(error, || {
            let out = place(out)?;
            *out = body()?;
            Ok(())
        })
    }
}

/// Runs `body`, which cannot fail; a panic is counted and gives `fallback`.
pub fn catch_value<T>(fallback: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        panicked(panic.as_ref());
        fallback
    })
}

/// The error that a caught panic becomes; counted.
pub fn panicked(panic: &(dyn Any + Send)) -> Error {
    ::recorder::runtime::count_panic();
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Error::new(Status::Panic, format!("{}: panic in native code", text.unwrap_or("no message")))
}

/// Writes `failure` to `error`.
///
/// # Safety
/// `error` is NULL or points to memory for an [`AiError`].
pub unsafe fn report(error: *mut AiError, failure: &Error) {
    if error.is_null() {
        return;
    }
    let mut length = failure.message.len().min(MESSAGE_BYTES);
    while !failure.message.is_char_boundary(length) {
        length -= 1;
    }
    // SAFETY: not NULL, so the caller's promise holds; every field is plain bytes.
    let error = unsafe { &mut *error };
    error.status = failure.status as i32;
    error.length = length as u32;
    error.message[..length].copy_from_slice(&failure.message.as_bytes()[..length]);
    for byte in &mut error.message[..length] {
        if *byte < b' ' {
            *byte = b' ';
        }
    }
}

/// The caller's text.
///
/// # Safety
/// `data` points to `length` readable bytes that outlive `'a`, or `length` is 0.
pub unsafe fn text<'a>(data: *const u8, length: usize) -> Result<&'a str> {
    // SAFETY: the caller's promise, passed on.
    let bytes = unsafe { bytes(data, length) }?;
    std::str::from_utf8(bytes)
        .map_err(|error| Error::new(Status::BadArgument, format!("{error}: the text is not UTF-8")))
}

/// The caller's bytes.
///
/// # Safety
/// `data` points to `length` readable bytes that outlive `'a`, or `length` is 0.
pub unsafe fn bytes<'a>(data: *const u8, length: usize) -> Result<&'a [u8]> {
    if length == 0 {
        return Ok(&[]);
    }
    if data.is_null() || length > isize::MAX as usize {
        return Err(Error::new(Status::BadArgument, "no bytes where text was promised"));
    }
    // SAFETY: not NULL and not absurd; the rest is the caller's promise.
    Ok(unsafe { slice::from_raw_parts(data, length) })
}

/// The caller's place for one result.
///
/// # Safety
/// `place` is NULL or points to memory for a `T` that no other code uses during `'a`.
pub unsafe fn place<'a, T>(place: *mut T) -> Result<&'a mut T> {
    // SAFETY: the caller's promise.
    unsafe { place.as_mut() }
        .ok_or_else(|| Error::new(Status::BadArgument, "no place for the result"))
}

/// Has panics of this library, which are caught and answered as errors, write nothing to the
/// process's stderr. For a shared object that has Rust's standard library to itself; called once,
/// when it is loaded.
#[no_mangle]
pub extern "C" fn ai_keep_quiet() {
    std::panic::set_hook(Box::new(|_| {}));
}

/// Frees the result of a call in an [`AiBuffer`]; the buffer is empty afterwards. NULL and empty
/// are fine.
///
/// # Safety
/// `buffer` is NULL or was filled by this library and not changed since.
#[no_mangle]
pub unsafe extern "C" fn ai_buffer_free(buffer: *mut AiBuffer) {
    // SAFETY: the caller's promise.
    let Some(buffer) = (unsafe { buffer.as_mut() }) else {
        return;
    };
    if !buffer.data.is_null() && buffer.capacity > 0 {
        // SAFETY: `from_vec` made these three from one vector.
        drop(unsafe { Vec::from_raw_parts(buffer.data, buffer.length, buffer.capacity) });
    }
    *buffer = AiBuffer { data: std::ptr::null_mut(), length: 0, capacity: 0 };
}

/// Keeps a failure that the caller gave no place for.
#[cold]
pub fn remember(error: Error) {
    // a thread that is ending has no place for it any more; the status says enough
    let _ = NEWEST.try_with(|newest| newest.replace(Some(error)));
}

/// The line of this thread's newest failure that was given no place. Fills `error` and returns its
/// status; 0 when there was none.
///
/// # Safety
/// `error` is NULL or points to memory for an [`AiError`].
#[no_mangle]
pub unsafe extern "C" fn ai_last_error(error: *mut AiError) -> i32 {
    let newest = NEWEST.try_with(|newest| newest.borrow().clone()).ok().flatten();
    newest.map_or(Status::Ok as i32, |newest| {
        // SAFETY: the caller's promise.
        unsafe { report(error, &newest) };
        newest.status as i32
    })
}
