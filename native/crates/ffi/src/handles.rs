//! Handles of our own runtime, of any type.

use super::{catch, catch_result, catch_value, place, AiError};
use objects::lifecycle;
use objects::ownership;
use recorder::runtime::runtime;
use segment::status::Status;

/// Another handle on the same object.
///
/// # Safety
/// `out` is a place for a handle, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_handle_clone(handle: u64, out: *mut u64, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { catch_result(out, error, || ownership::clone_handle(handle)) }
}

/// Gives up the reference that a handle names. Any thread. While calls use it, the last of them
/// releases it.
///
/// # Safety
/// `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_handle_release(handle: u64, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { catch(error, || ownership::release(runtime(), handle)) }
}

/// Strong and weak count of the object, read from its `Arc`.
///
/// # Safety
/// `strong` and `weak` are places for numbers, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_handle_strong(
    handle: u64,
    strong: *mut u64,
    weak: *mut u64,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch(error, || {
            let (strong, weak) = (place(strong)?, place(weak)?);
            (*strong, *weak) = ownership::strong_and_weak(handle)?;
            Ok(())
        })
    }
}

/// 1 when both handles name one object, 0 when not, a negative `Status` when that is unknown.
///
/// # Safety
/// `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_handle_same(first: u64, second: u64, error: *mut AiError) -> i32 {
    let mut is_same = false;
    // SAFETY: the caller's promise.
    let status = unsafe {
        catch(error, || {
            is_same = ownership::is_same(first, second)?;
            Ok(())
        })
    };
    if status == Status::Ok as i32 {
        i32::from(is_same)
    } else {
        -status
    }
}

/// Closes with the type's default arguments. `Pending`: accepted, and the message gives the reason
/// for the wait.
///
/// # Safety
/// `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_close(handle: u64, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { catch(error, || lifecycle::close_with_defaults(runtime(), handle)) }
}

/// The outcome that a close would have: `Ok`, it would run now; otherwise the message gives the
/// reason.
///
/// # Safety
/// `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_close_preview(handle: u64, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { catch(error, || lifecycle::preview(runtime(), handle)) }
}

/// Takes back a close that has not run.
///
/// # Safety
/// `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_close_cancel(handle: u64, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { catch(error, || lifecycle::cancel(runtime(), handle)) }
}

/// A safe point: runs the closes that wait for the calling thread. Returns how many ran.
#[no_mangle]
pub extern "C" fn ai_drain() -> usize {
    catch_value(0, lifecycle::drain_here)
}

/// Gives this thread's next close request a deadline: a request that has not run by then is
/// withdrawn, and `ai_close_result` says so. 0: none.
#[no_mangle]
pub extern "C" fn ai_set_close_deadline(millis: u64) {
    lifecycle::set_deadline(millis);
}

/// How the newest close request of a handle's object ended: `Ok`, it closed; `Pending`, it waits or
/// runs; `CloseFailed`, it failed or was withdrawn, with the reason; `BadArgument`, none was made.
///
/// # Safety
/// `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_close_result(handle: u64, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { catch(error, || lifecycle::close_result(runtime(), handle)) }
}

/// Calls `listener` for each pending close from now on, on any thread: `AiCloseNews`, a handle of
/// the object, a thread's index or 0. NULL: no listener.
///
/// # Safety
/// It stays callable until `ai_foreign_close`.
#[no_mangle]
pub unsafe extern "C" fn ai_close_listen(listener: Option<unsafe extern "C" fn(u32, u64, u32)>) {
    // SAFETY: the caller's promise.
    unsafe { lifecycle::listen(listener) };
}
