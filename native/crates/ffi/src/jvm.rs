//! Calls for `native/jvm`, the library that a Java virtual machine loads. No logic: see `jvm`.

use std::ffi::{c_char, c_void, CStr};

use super::{catch, AiError};
use segment::status::{Error, Status};

/// Starts the agent in a Java virtual machine; a `Status`. Does nothing while it runs.
///
/// # Safety
/// `machine` is the virtual machine, `options` a text with a terminating zero or NULL, `error` NULL
/// or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_jvm_start(
    machine: *mut c_void,
    options: *const c_char,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise, for all of them.
    unsafe {
        catch(error, || {
            let options = if options.is_null() { c"" } else { CStr::from_ptr(options) };
            let options = options
                .to_str()
                .map_err(|_| Error::new(Status::BadArgument, "the options are not UTF-8"))?;
            jvm::start(machine.cast(), options)
        })
    }
}
