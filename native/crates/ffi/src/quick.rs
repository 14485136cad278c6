//! The calls that a program makes most often, with nothing to fill in: the result is a number, or
//! minus a status, whose line [`capi::ai_last_error`] gives.
//!
//! From Python each pointer argument costs as much as the rest of such a call (56 ns bare, 88 ns
//! with a place for the error).

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Arc;

use super::{catch_result, panicked, remember, AiError};
use objects::ownership;
use objects::ownership::{call, lower, with_raw};
use recorder::events;
use recorder::levels;
use recorder::runtime;
use samples::TodoList;
use segment::layout::Level;
use segment::status::Result;

fn answer(body: impl FnOnce() -> Result<i64>) -> i64 {
    match catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| Err(panicked(panic.as_ref())))
    {
        Ok(number) => number,
        Err(error) => {
            let status = -i64::from(error.status as i32);
            remember(error);
            status
        }
    }
}

/// A handle that `body` makes; 0: it failed, or the birth belongs in the history, and then its site
/// has to be set first. The function that fills in a place for the handle does, and names the
/// failure.
fn made(body: impl FnOnce() -> Result<u64>) -> u64 {
    if levels::hottest() >= Level::History as u8 {
        return 0;
    }
    let outcome =
        catch_unwind(AssertUnwindSafe(body)).map_err(|panic| drop(panicked(panic.as_ref())));
    outcome.ok().and_then(Result::ok).unwrap_or(0)
}

/// An empty list, or 0: then `ai_todo_list_new` makes it or says why not.
#[no_mangle]
pub extern "C" fn ai_todo_list_make() -> u64 {
    made(|| lower(Arc::new(TodoList::new())))
}

/// Releases a handle for its proxy: no caller can take an error here, so a failure is only counted.
#[no_mangle]
pub extern "C" fn ai_handle_drop(handle: u64) {
    let released = catch_unwind(|| ownership::release(runtime::runtime(), handle));
    if let Err(panic) = released {
        drop(panicked(panic.as_ref()));
    }
}

/// Items of a list, or minus a status.
#[no_mangle]
pub extern "C" fn ai_todo_list_count(list: u64) -> i64 {
    answer(|| call::<TodoList, _>(list, |list| list.len() as i64))
}

/// Heap address of the object that a handle names: equal for all handles of one object.
///
/// # Safety
/// `out` points to memory for the result; `error` is NULL or points to memory for an [`AiError`].
#[no_mangle]
pub unsafe extern "C" fn ai_handle_address(handle: u64, out: *mut u64, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promises.
    unsafe { catch_result(out, error, || with_raw(handle, |_, slot, _| Ok(slot.address()))) }
}

/// Handles that are live now, of all types.
#[no_mangle]
pub extern "C" fn ai_live_handles() -> u64 {
    runtime::existing().map_or(0, events::live_handles)
}
