//! Objects of the host language: how they close, and its end.

use std::time::Duration;

use super::{catch, catch_result, catch_value, AiError};
use objects::host_gate;
use objects::lifecycle;
use objects::ownership::foreign_close;

/// The host language ends: its objects are called no more. Waits for calls that are on their way,
/// at most `patience_millis`; 1 when all have ended. Call it without the interpreter's lock.
#[no_mangle]
pub extern "C" fn ai_foreign_close(patience_millis: u32) -> i32 {
    catch_value(0, || {
        i32::from(host_gate::close(Duration::from_millis(u64::from(patience_millis))))
    })
}

/// Registers the host's functions for foreign objects of closing types: `close` closes, and
/// `let_go` releases a request's arguments; both run on any thread.
/// `close(key, value, text, capacity)` closes the object behind `value` with the arguments behind
/// `key` (0: the type's default) and returns the length of the error text that it wrote, 0 when it
/// closed.
///
/// # Safety
/// Both stay callable until `ai_foreign_close`. NULL changes nothing.
#[no_mangle]
pub unsafe extern "C" fn ai_foreign_close_by(
    close: Option<unsafe extern "C" fn(u64, u64, *mut u8, usize) -> usize>,
    let_go: Option<unsafe extern "C" fn(u64)>,
) {
    if let (Some(close), Some(let_go)) = (close, let_go) {
        // SAFETY: the caller's promise.
        unsafe { lifecycle::close_by(close, let_go) };
    }
}

/// Asks for the close of a foreign object of that type, with the arguments behind `key`, 0: the
/// type's default. `Pending`: accepted, and the message gives the reason for the wait. `key` is
/// released in any case.
///
/// # Safety
/// `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_foreign_request_close(
    foreign_type: u16,
    handle: u64,
    key: u64,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { catch(error, || foreign_close::request(foreign_type, handle, key)) }
}

/// Begins a use of a foreign object of that type, for which its close waits until
/// `ai_foreign_leave`; its value.
///
/// # Safety
/// `out` is a place for the value, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_foreign_enter(
    foreign_type: u16,
    handle: u64,
    out: *mut u64,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { catch_result(out, error, || foreign_close::enter(foreign_type, handle)) }
}

/// Ends a use that `ai_foreign_enter` began, on any thread; the last one runs a close that waits
/// for it.
#[no_mangle]
pub extern "C" fn ai_foreign_leave(handle: u64) {
    catch_value((), || foreign_close::leave(handle));
}

/// Registers the host's function that closes the object of a handle by the close method of the
/// proxy that owns it; viewers' closes go through it from then on.
/// `close(handle, is_asked_only, text, capacity)` only looks for such a method if `is_asked_only`
/// is not 0. It returns -1 if there is none, 0, or the length of the error text that it wrote.
///
/// # Safety
/// It stays callable from any thread until `ai_foreign_close`. NULL changes nothing.
#[no_mangle]
pub unsafe extern "C" fn ai_close_by_proxies(
    close: Option<unsafe extern "C" fn(u64, i32, *mut u8, usize) -> i32>,
) {
    if let Some(close) = close {
        // SAFETY: the caller's promise.
        unsafe { lifecycle::close_by_proxies(close) };
    }
}
