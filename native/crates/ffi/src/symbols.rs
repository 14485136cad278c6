//! Names of native functions, for the viewer.

use super::{catch, place, AiBuffer, AiError, AiText};
use viewer::demangle;

/// A symbol's name as the source of Rust or C++ has it, without hash and types of parameters; any
/// other symbol is returned unchanged.
///
/// # Safety
/// `symbol` is valid, `out` is a place for a buffer, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_demangle(
    symbol: AiText,
    out: *mut AiBuffer,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch(error, || {
            let name = demangle::demangled(symbol.read()?);
            *place(out)? = AiBuffer::from_vec(name.into_owned().into_bytes());
            Ok(())
        })
    }
}
