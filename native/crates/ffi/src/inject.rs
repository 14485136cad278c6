//! Calls for an injector process. No logic: see `viewer::inject`.

use super::{catch, catch_result, place, AiError, AiText};
use viewer::inject::{self, Injected, Injection, Place};

/// The code to inject, and the place of the injection.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct AiInjection {
    /// The place of the injection.
    pub place: Place,
    /// A line of Python.
    pub code: AiText,
}

/// Try once to make a thread of another process start a new thread that runs a line of Python.
/// `Pending`: not at this moment, try again. Takes less than half a second, even if the target
/// hangs. `Unavailable` when the thread did not stop: then end this process, which releases the
/// thread.
///
/// # Safety
/// `request` points to an [`AiInjection`] whose text is valid, `injected` to memory for an
/// [`Injected`]; `error` is NULL or points to memory for an [`AiError`].
#[no_mangle]
pub unsafe extern "C" fn ai_inject(
    request: *const AiInjection,
    injected: *mut Injected,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch(error, || {
            let request = place(request.cast_mut())?;
            let injected = place(injected)?;
            *injected = Injected::default();
            inject::inject(
                &Injection { place: request.place, code: request.code.read()? },
                injected,
            )
        })
    }
}

/// Have the system call in which a thread of another process waits fail with `EINTR`. `did`: 1 it
/// did, 0 it waits in none that tolerates it.
///
/// # Safety
/// `did` points to an `int32_t`; `error` is NULL or points to memory for an [`AiError`].
#[no_mangle]
pub unsafe extern "C" fn ai_nudge(pid: u32, tid: u32, did: *mut i32, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { catch_result(did, error, || Ok(inject::nudge(pid, tid)?.into())) }
}

/// The effect of a stop on a system call with this number and second argument: 0 its thread must
/// not be stopped, 1 the kernel begins it again, 2 it may fail with `EINTR` and is begun again by
/// us.
#[no_mangle]
pub extern "C" fn ai_inject_wait(number: i64, second: u64) -> i32 {
    inject::wait_of(number, second) as i32
}

/// Bytes of an injection's region, and of the code at its beginning.
#[no_mangle]
pub extern "C" fn ai_inject_region_bytes() -> u64 {
    inject::REGION_BYTES as u64
}

/// First word behind the region's code.
#[no_mangle]
pub extern "C" fn ai_inject_magic() -> u64 {
    inject::REGION_MAGIC
}
