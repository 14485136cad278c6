//! Calls for the interpreter's worker thread. No logic: see `control`.

use std::slice;
use std::time::Duration;

use super::{bytes, catch_value};
use control::wire;
use control::Next;

/// The operations of the control socket as JSON: a list of objects with `name`, `changes`, `place`
/// (`native`, `interpreter`, `both`) and `is_long`. Answers with its length; `buffer` is filled as
/// far as it is large enough for all of it.
///
/// # Safety
/// `buffer` points to `capacity` writable bytes, or is null and `capacity` is 0.
#[no_mangle]
pub unsafe extern "C" fn ai_control_operations(buffer: *mut u8, capacity: usize) -> i64 {
    catch_value(-1, || {
        let text = wire::operations_json();
        if !buffer.is_null() && text.len() <= capacity {
            // SAFETY: the caller's promise; the text is not longer than the capacity.
            unsafe { slice::from_raw_parts_mut(buffer, text.len()) }.copy_from_slice(&text);
        }
        text.len() as i64
    })
}

/// Wait for a job of the interpreter's, a JSON object with `job`, `op` and its fields. Answers with
/// its bytes in `buffer`; 0 when none came within `timeout_millis` (negative: wait for ever); -1
/// when the agent does not run, or stops.
///
/// Call it from one thread, without the interpreter's lock. `buffer` should hold 1 MiB: a job that
/// does not fit is answered with an error on the spot.
///
/// # Safety
/// `buffer` points to `capacity` writable bytes.
#[no_mangle]
pub unsafe extern "C" fn ai_control_next(
    buffer: *mut u8,
    capacity: usize,
    timeout_millis: i32,
) -> i64 {
    catch_value(-1, || {
        let Some(control) = control::running() else { return -1 };
        let timeout = u64::try_from(timeout_millis).ok().map(Duration::from_millis);
        match control.jobs().next(timeout, if buffer.is_null() { 0 } else { capacity }) {
            Next::Stopped => -1,
            Next::Nothing => 0,
            Next::Job(job) => {
                // SAFETY: the caller's promise; `next` gives no job that is larger than the
                // capacity.
                unsafe { slice::from_raw_parts_mut(buffer, job.len()) }.copy_from_slice(&job);
                job.len() as i64
            }
        }
    })
}

/// Report the progress of a job, as a JSON object for the viewer; empty: nothing to report. 1:
/// continue; 0: the viewer has given up.
///
/// # Safety
/// `json` points to `length` readable bytes.
#[no_mangle]
pub unsafe extern "C" fn ai_control_progress(job: u64, json: *const u8, length: usize) -> i32 {
    catch_value(0, || {
        // SAFETY: the caller's promise.
        let Ok(json) = (unsafe { bytes(json, length) }) else { return 0 };
        control::running().map_or(0, |control| i32::from(control.jobs().progress(job, json)))
    })
}

/// Answer a job with a JSON object: `{"ok": true, …}`, or
/// `{"ok": false, "error": "one line", "status": "…"}`. 0: taken; otherwise a `Status`: no such job
/// (`BadArgument`), or the agent does not run.
///
/// # Safety
/// `json` points to `length` readable bytes.
#[no_mangle]
pub unsafe extern "C" fn ai_control_reply(job: u64, json: *const u8, length: usize) -> i32 {
    use segment::status::Status;
    let answer = catch_value(Status::Panic, || {
        // SAFETY: the caller's promise.
        let Ok(json) = (unsafe { bytes(json, length) }) else { return Status::BadArgument };
        match control::running() {
            None => Status::NotRunning,
            Some(control) if control.jobs().reply(job, json) => Status::Ok,
            Some(_) => Status::BadArgument,
        }
    });
    answer as i32
}
