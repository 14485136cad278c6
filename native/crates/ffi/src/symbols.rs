//! Names of native functions, for the viewer.

use super::{catch, place, AiBuffer, AiError, AiText};

/// A symbol's name as Rust code has it, without hash; a symbol that is no mangled Rust name is
/// returned unchanged.
///
/// # Safety
/// `symbol` is valid, `out` is a place for a buffer, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_demangle(symbol: AiText, out: *mut AiBuffer, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch(error, || {
            let name = rustc_demangle::demangle(symbol.read()?);
            *place(out)? = AiBuffer::from_vec(format!("{name:#}").into_bytes());
            Ok(())
        })
    }
}
