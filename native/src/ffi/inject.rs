//! What an injector process calls. No logic: see `crate::inject`.

use super::{catch, place, AiError, AiText};
use crate::inject::{self, Functions, Injected, Injection, Range};

/// What is to be injected, and where.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct AiInjection {
    /// The process.
    pub pid: u32,
    /// The thread that is borrowed for a moment.
    pub tid: u32,
    /// Region of an earlier injection that nobody uses any more; 0: none.
    pub region: u64,
    /// Address of a `syscall` instruction of the C library.
    pub syscall: u64,
    /// Code of the C library.
    pub libc: Range,
    /// Code of the interpreter.
    pub python: Range,
    /// Addresses of what is called.
    pub functions: Functions,
    /// A line of Python.
    pub code: AiText,
}

/// Try once to have a thread of another process start one that runs a line of Python. `Pending`: not at this moment, try again.
/// Takes less than half a second whatever the target does. `Unavailable` when the thread did not stop: then end this process, which lets it go.
///
/// # Safety
/// `request` points to an [`AiInjection`] whose text is valid, `injected` to memory for an [`Injected`]; `error` is NULL or points to
/// memory for an [`AiError`].
#[no_mangle]
pub unsafe extern "C" fn ai_inject(request: *const AiInjection, injected: *mut Injected, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch(error, || {
            let request = place(request.cast_mut())?;
            *place(injected)? = inject::inject(&Injection {
                pid: request.pid,
                tid: request.tid,
                region: request.region,
                syscall: request.syscall,
                libc: request.libc,
                python: request.python,
                functions: request.functions,
                code: request.code.read()?,
            })?;
            Ok(())
        })
    }
}

/// Have the system call in which a thread of another process waits fail with `EINTR`. `did`: 1 it did, 0 it waits in none that tolerates it.
///
/// # Safety
/// `did` points to an `int32_t`; `error` is NULL or points to memory for an [`AiError`].
#[no_mangle]
pub unsafe extern "C" fn ai_nudge(pid: u32, tid: u32, did: *mut i32, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch(error, || {
            *place(did)? = inject::nudge(pid, tid)?.into();
            Ok(())
        })
    }
}

/// Bytes of an injection's region, and of the code at its beginning.
#[no_mangle]
pub extern "C" fn ai_inject_region_bytes() -> u64 {
    inject::REGION_BYTES as u64
}

/// First word behind the region's code.
#[no_mangle]
pub extern "C" fn ai_inject_magic() -> u64 {
    inject::MAGIC
}
