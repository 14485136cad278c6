//! Classes of extensions. No logic: see `follow::extension`. Call all of these with the
//! interpreter's lock held.

use super::{catch, catch_value, AiError};
use follow::extension::{self, Described};

/// Hooks a type, of which Python says that it has these properties; `of_python` is any class that
/// Python code made. `born` is 0 or a callable that is given each new instance.
///
/// # Safety
/// `type_object` and `born` are objects that live until `ai_type_unwatch`; `error` is NULL or a
/// place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_type_watch(
    type_object: u64,
    basic_size: u64,
    flags: u64,
    base: u64,
    dict_offset: u64,
    has_plain_init: i32,
    of_python: u64,
    born: u64,
    error: *mut AiError,
) -> i32 {
    let described = Described {
        basic_size,
        flags,
        base,
        dict_offset,
        has_plain_init: has_plain_init != 0,
        of_python,
    };
    // SAFETY: the caller's promise.
    unsafe { catch(error, || extension::watch(type_object as usize, &described, born as usize)) }
}

/// 1 when the ends of a hooked type's instances are seen.
///
/// # Safety
/// `type_object` is a type.
#[no_mangle]
pub unsafe extern "C" fn ai_type_sees_ends(type_object: u64) -> i32 {
    // SAFETY: the caller's promise.
    catch_value(0, || i32::from(unsafe { extension::sees_ends(type_object as usize) }))
}

/// Restores the original functions in the type's slots.
///
/// # Safety
/// `type_object` was given to `ai_type_watch` and lives.
#[no_mangle]
pub unsafe extern "C" fn ai_type_unwatch(type_object: u64) {
    // SAFETY: the caller's promise.
    catch_value((), || unsafe { extension::unwatch(type_object as usize) });
}
