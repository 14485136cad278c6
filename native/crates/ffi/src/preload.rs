//! Calls of the library that is loaded into programs of any language. No logic: see `preload`.

use std::ffi::{c_char, CStr};

use super::catch_value;

/// The library was loaded; before the program runs.
#[no_mangle]
pub extern "C" fn ai_preload_loaded() {
    super::ai_keep_quiet();
    catch_value((), preload::loaded);
}

/// The address of the C library's `dlsym`; 0: it is not found.
#[no_mangle]
pub extern "C" fn ai_preload_next() -> usize {
    catch_value(0, preload::next_dlsym)
}

/// The function that a program gets in place of the function of this name at this address.
///
/// # Safety
/// `name` is a text that ends with a zero.
#[no_mangle]
pub unsafe extern "C" fn ai_preload_resolve(name: *const c_char, address: usize) -> usize {
    catch_value(address, || {
        // SAFETY: the caller's promise.
        let name = unsafe { CStr::from_ptr(name) };
        platform::keep_errno(|| {
            name.to_str().map_or(address, |name| preload::resolve(name, address))
        })
    })
}
