//! The sample lists and journals of every strategy, and host-language objects held by native code.

use std::path::Path;
use std::time::Duration;

use super::{catch, catch_result, place, AiError, AiText};
use objects::ownership::{borrow, foreign, Traced};
use samples::{lower_all, Journals, Lists, TodoItem};
use segment::status::Result;

/// An empty list of the strategy whose `Kind` is given.
///
/// # Safety
/// `out` is a place for a handle, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_list_new(kind: u8, out: *mut u64, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { catch_result(out, error, || Lists::of_kind(kind)?.create()) }
}

/// Shares an item with a list. `WrongType` when the list is of another strategy.
///
/// # Safety
/// `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_list_add_item(
    kind: u8,
    list: u64,
    item: u64,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch(error, || {
            let item = borrow::<TodoItem>(item)?;
            Lists::of_kind(kind)?.add(list, Traced::from_arc(item.arc().clone()))
        })
    }
}

/// Adds a new item, whose handle is written to `item` unless that is NULL.
///
/// # Safety
/// `text` is valid, `item` is NULL or a place for a handle, `error` is NULL or a place for an
/// error.
#[no_mangle]
pub unsafe extern "C" fn ai_list_add_text(
    kind: u8,
    list: u64,
    text: AiText,
    item: *mut u64,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch(error, || {
            let new = Traced::new(TodoItem::new(text.read()?));
            Lists::of_kind(kind)?.add(list, new.clone())?;
            if let Some(item) = item.as_mut() {
                *item = new.lower()?;
            }
            Ok(())
        })
    }
}

/// Handles of a list's items, each of its own; `count` says how many items there are, of which the
/// first `capacity` were given.
///
/// # Safety
/// `items` points to places for `capacity` handles, `count` to a place for a number, `error` is
/// NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_list_get_items(
    kind: u8,
    list: u64,
    items: *mut u64,
    capacity: usize,
    count: *mut usize,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch(error, || {
            let count = place(count)?;
            let found = Lists::of_kind(kind)?.items(list)?;
            *count = found.len();
            if items.is_null() {
                return Ok(());
            }
            let handles = lower_all(found.into_iter().take(capacity))?;
            std::ptr::copy_nonoverlapping(handles.as_ptr(), items, handles.len());
            Ok(())
        })
    }
}

/// The number of items.
///
/// # Safety
/// `out` is a place for a number, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_list_len(
    kind: u8,
    list: u64,
    out: *mut u64,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { catch_result(out, error, || Ok(Lists::of_kind(kind)?.len(list)? as u64)) }
}

/// Shares all items of `from` with `into`; both may name the same list.
///
/// # Safety
/// `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_list_merge(kind: u8, into: u64, from: u64, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { catch(error, || Lists::of_kind(kind)?.merge(into, from)) }
}

/// A handle of the item at a position. A wrong position is a bug, and panics: `Panic`, and from
/// then on `Poisoned` if the strategy cannot know which values the panic left half changed.
///
/// # Safety
/// `item` is a place for a handle, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_list_item_at(
    kind: u8,
    list: u64,
    position: usize,
    item: *mut u64,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { catch_result(item, error, || Lists::of_kind(kind)?.item_at(list, position)?.lower()) }
}

/// Opens a journal of the strategy whose `Kind` is given.
///
/// # Safety
/// `path` is valid, `out` is a place for a handle, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_owned_journal_open(
    kind: u8,
    path: AiText,
    out: *mut u64,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { catch_result(out, error, || journals(kind)?.open(Path::new(path.read()?))) }
}

/// Appends a line after `millis`, during which the call is in flight.
///
/// # Safety
/// `line` is valid, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_owned_journal_append(
    kind: u8,
    journal: u64,
    line: AiText,
    millis: u32,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch(error, || {
            journals(kind)?.append(journal, line.read()?, Duration::from_millis(u64::from(millis)))
        })
    }
}

/// Lines appended so far.
///
/// # Safety
/// `out` is a place for a number, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_owned_journal_lines(
    kind: u8,
    journal: u64,
    out: *mut u64,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { catch_result(out, error, || journals(kind)?.lines(journal)) }
}

/// Closes a journal, after its bytes have reached the disk if `flush` is not 0. `Pending`:
/// accepted, and the last call in flight closes.
///
/// # Safety
/// `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_owned_journal_close(
    kind: u8,
    journal: u64,
    flush: i32,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { catch(error, || journals(kind)?.close(journal, flush != 0)) }
}

fn journals(kind: u8) -> Result<Journals> {
    Lists::of_kind(kind).map(Journals)
}

/// A handle for a value of the host language, of a type of kind `Foreign` that `ai_type` described.
///
/// # Safety
/// `out` is a place for a handle, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_foreign_new(
    foreign_type: u16,
    value: u64,
    out: *mut u64,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { catch_result(out, error, || foreign::insert(foreign_type, value)) }
}

/// The value of a handle.
///
/// # Safety
/// `out` is a place for the value, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_foreign_value(
    foreign_type: u16,
    handle: u64,
    out: *mut u64,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { catch_result(out, error, || foreign::value(foreign_type, handle)) }
}

/// Ends a handle and gives its value, which no later call gets.
///
/// # Safety
/// `out` is a place for the value, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_foreign_delete(
    foreign_type: u16,
    handle: u64,
    out: *mut u64,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { catch_result(out, error, || foreign::delete(foreign_type, handle)) }
}

/// As `ai_foreign_value`, but a wrong handle is a bug: it panics, which returns `Panic` and is
/// counted as a panic.
///
/// # Safety
/// `out` is a place for the value, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_foreign_must_value(
    foreign_type: u16,
    handle: u64,
    out: *mut u64,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { catch_result(out, error, || Ok(foreign::must(foreign::value(foreign_type, handle)))) }
}

/// As `ai_foreign_delete`, but a wrong handle is a bug: it panics, which returns `Panic` and is
/// counted as a panic.
///
/// # Safety
/// `out` is a place for the value, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_foreign_must_delete(
    foreign_type: u16,
    handle: u64,
    out: *mut u64,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { catch_result(out, error, || Ok(foreign::must(foreign::delete(foreign_type, handle)))) }
}
