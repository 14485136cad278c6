//! Who holds what on the native side. No logic: see `crate::edges`.

use super::{catch, place, AiBuffer, AiError, AiText};
use crate::edges;
use crate::runtime::runtime;

/// Counts the object of a handle up under a name that the inspector shows among its holders; `label` gets the number that ends that.
///
/// # Safety
/// `name` is valid, `label` is a place for a number, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_label(handle: u64, name: AiText, label: *mut u64, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch(error, || {
            let label = place(label)?;
            *label = edges::label_handle(handle, name.read()?)?;
            Ok(())
        })
    }
}

/// Gives up the reference that `ai_label` made.
///
/// # Safety
/// `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_label_drop(label: u64, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { catch(error, || edges::drop_label(label)) }
}

/// What the object of a handle holds, as JSON: `{"edges": [{"from", "from_type", "label", "to": {"address" | "foreign"}, "to_type"}], "unread"}`.
///
/// # Safety
/// `out` is a place for a buffer, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_edges(handle: u64, out: *mut AiBuffer, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch(error, || {
            *place(out)? = AiBuffer::from_vec(edges::edges_of(runtime(), handle));
            Ok(())
        })
    }
}

/// The key under which the host language keeps the foreign object of a row of our own runtime.
///
/// # Safety
/// `key` is a place for a number, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_foreign_key(row: u64, key: *mut u64, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch(error, || {
            *place(key)? = edges::foreign_key(runtime(), row)?;
            Ok(())
        })
    }
}
