//! Functions and lines of native code, for the viewer. No logic: see the crate `symbols`.

use super::{catch_result, AiBuffer, AiError};
use ::symbols::{Found, Symbols};
use segment::status::{Error, Status};

/// The native code of a process. Nothing is read yet.
#[no_mangle]
pub extern "C" fn ai_symbols_new(pid: u32) -> *mut Symbols {
    Box::into_raw(Box::new(Symbols::of(pid)))
}

/// Free the result of `ai_symbols_new`. NULL is fine.
///
/// # Safety
/// `symbols` came from `ai_symbols_new`; no thread uses it now or later.
#[no_mangle]
pub unsafe extern "C" fn ai_symbols_free(symbols: *mut Symbols) {
    if !symbols.is_null() {
        // SAFETY: the caller's promise; the box was made by `ai_symbols_new`.
        drop(unsafe { Box::from_raw(symbols) });
    }
}

/// The call that returns to an address: texts that end with a NUL each. First the path of the
/// library and the reason why lines are not known; then for each place of the source, innermost
/// first, the function, the file, and the line in digits. A text is empty and a line is 0 when it
/// is not known.
///
/// # Safety
/// `symbols` came from `ai_symbols_new` and is used by no other thread during the call; `out` is a
/// place for a buffer; `error` is NULL or points to memory for an `AiError`.
#[no_mangle]
pub unsafe extern "C" fn ai_symbols_at(
    symbols: *mut Symbols,
    return_address: u64,
    out: *mut AiBuffer,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promises.
    unsafe {
        catch_result(out, error, || {
            let symbols =
                symbols.as_mut().ok_or_else(|| Error::new(Status::BadArgument, "no symbols"))?;
            Ok(AiBuffer::from_vec(texts(&symbols.at(return_address))))
        })
    }
}

fn texts(found: &Found) -> Vec<u8> {
    let mut texts = Vec::new();
    let mut add = |text: &[u8]| {
        texts.extend(text.iter().filter(|&&byte| byte != 0));
        texts.push(0);
    };
    add(&found.library);
    add(found.reason.as_bytes());
    for place in &found.places {
        add(place.function.as_bytes());
        add(place.file.as_bytes());
        add(place.line.to_string().as_bytes());
    }
    texts
}
