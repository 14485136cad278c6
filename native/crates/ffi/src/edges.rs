//! Holders and held objects on the native side. No logic: see `objects::edges`.

use std::slice;

use super::{catch, catch_result, catch_value, AiBuffer, AiError, AiText};
use objects::edges::{self, ScannedHandle};
use recorder::runtime::runtime;

/// Counts the object of a handle up under a name that the inspector shows among its holders;
/// `label` gets the number that ends that.
///
/// # Safety
/// `name` is valid, `label` is a place for a number, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_label(
    handle: u64,
    name: AiText,
    label: *mut u64,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { catch_result(label, error, || edges::label_handle(handle, name.read()?)) }
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

/// The objects that the object of a handle holds, as JSON: `{"edges": [{"from", "from_type",
/// "label", "to": {"address" | "foreign"}, "to_type"}], "unread"}`.
///
/// # Safety
/// `out` is a place for a buffer, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_edges(handle: u64, out: *mut AiBuffer, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch_result(out, error, || Ok(AiBuffer::from_vec(edges::edges_of(runtime(), handle))))
    }
}

/// The named native references on the object of a live handle, as JSON: `{"fields": [{"from",
/// "type", "label", "count"}], "labels": [{"label", "count"}], "unread", "unnamed"}`; `"exact":
/// false` marks a field that a search of memory found.
///
/// # Safety
/// `out` is a place for a buffer, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_holders(handle: u64, out: *mut AiBuffer, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch_result(out, error, || {
            let found = serde_json::Value::Object(edges::holders(runtime(), handle));
            Ok(AiBuffer::from_vec(found.to_string().into_bytes()))
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
    unsafe { catch_result(key, error, || edges::foreign_key(runtime(), row)) }
}

/// Which of `count` handles of the host language's the object whose allocation is at `address` may
/// lead to, found by reading memory. Answers with how many, of which at most `capacity` are
/// written.
///
/// # Safety
/// `handles` points to `count` numbers, `out` to places for `capacity` records.
#[no_mangle]
pub unsafe extern "C" fn ai_scan(
    address: u64,
    handles: *const u64,
    count: usize,
    out: *mut ScannedHandle,
    capacity: usize,
) -> usize {
    catch_value(0, || {
        if handles.is_null() || out.is_null() || count == 0 || capacity == 0 {
            return 0;
        }
        // SAFETY: not NULL, the rest is the caller's promise.
        let (handles, out) = unsafe {
            (slice::from_raw_parts(handles, count), slice::from_raw_parts_mut(out, capacity))
        };
        let found = edges::scan(address, handles);
        out.iter_mut().zip(&found).for_each(|(place, &one)| *place = one);
        found.len()
    })
}

/// The eight bytes at an address of this process. 1: read, 0: they cannot be; an address that is
/// not mapped is no crash.
///
/// # Safety
/// `out` is a place for a number.
#[no_mangle]
pub unsafe extern "C" fn ai_word(address: u64, out: *mut u64) -> i32 {
    catch_value(0, || match edges::word_at(address) {
        Some(word) if !out.is_null() => {
            // SAFETY: not NULL, the rest is the caller's promise.
            unsafe { *out = word };
            1
        }
        _ => 0,
    })
}
