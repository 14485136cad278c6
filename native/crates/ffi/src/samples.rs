//! The sample objects: lists, items, listeners, and workers that make objects.

use std::sync::Arc;
use std::time::Duration;

use super::{catch, catch_result, place, AiBuffer, AiError, AiText};
use objects::object::Object;
use objects::ownership;
use objects::ownership::{borrow, close, lower, Traced};
use recorder::runtime::runtime;
use samples::{lower_all, release_elsewhere, Churn, Listener, Moment, TodoItem, TodoList};
use segment::status::{Error, Status};

/// An empty list.
///
/// # Safety
/// `out` is a place for a handle, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_todo_list_new(out: *mut u64, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { catch_result(out, error, || lower(Arc::new(TodoList::new()))) }
}

/// Shares an item with a list.
///
/// # Safety
/// `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_todo_list_add_item(list: u64, item: u64, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch(error, || {
            let (list, item) = (borrow::<TodoList>(list)?, borrow::<TodoItem>(item)?);
            list.add(Traced::from_arc(Arc::clone(item.arc())));
            Ok(())
        })
    }
}

/// Adds a new item, whose handle is written to `item` unless that is NULL.
///
/// # Safety
/// `text` is valid, `item` is NULL or a place for a handle, `error` is NULL or a place for an
/// error.
#[no_mangle]
pub unsafe extern "C" fn ai_todo_list_add_text(
    list: u64,
    text: AiText,
    item: *mut u64,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch(error, || {
            let list = borrow::<TodoList>(list)?;
            let new = Traced::new(TodoItem::new(text.read()?));
            list.add(new.clone());
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
pub unsafe extern "C" fn ai_todo_list_get_items(
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
            let found = borrow::<TodoList>(list)?.items();
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
pub unsafe extern "C" fn ai_todo_list_len(list: u64, out: *mut u64, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { catch_result(out, error, || Ok(borrow::<TodoList>(list)?.len() as u64)) }
}

/// Shares all items of `from` with `into`; both may name the same list.
///
/// # Safety
/// `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_todo_list_merge(into: u64, from: u64, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch(error, || {
            let (into, from) = (borrow::<TodoList>(into)?, borrow::<TodoList>(from)?);
            into.merge(&from);
            Ok(())
        })
    }
}

/// A handle of the newest item, a new one with each call. `BadArgument` when the list is empty.
///
/// # Safety
/// `item` is a place for a handle, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_todo_list_last(list: u64, item: *mut u64, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch_result(item, error, || {
            let last = borrow::<TodoList>(list)?.last();
            let last = last.ok_or_else(|| Error::new(Status::BadArgument, "the list is empty"))?;
            last.lower()
        })
    }
}

/// Informs a listener of new items from now on; the list holds it.
///
/// # Safety
/// `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_todo_list_listen(list: u64, listener: u64, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch(error, || {
            let (list, listener) = (borrow::<TodoList>(list)?, borrow::<Listener>(listener)?);
            list.listen(Arc::clone(listener.arc()));
            Ok(())
        })
    }
}

/// A new item.
///
/// # Safety
/// `text` is valid, `out` is a place for a handle, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_todo_item_new(text: AiText, out: *mut u64, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { catch_result(out, error, || lower(Arc::new(TodoItem::new(text.read()?)))) }
}

/// The task, as text.
///
/// # Safety
/// `out` is a place for a buffer, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_todo_item_text(
    item: u64,
    out: *mut AiBuffer,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch_result(out, error, || {
            Ok(AiBuffer::from_vec(borrow::<TodoItem>(item)?.text().as_bytes().to_vec()))
        })
    }
}

/// Sets whether an item is done.
///
/// # Safety
/// `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_todo_item_done(item: u64, done: i32, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch(error, || {
            borrow::<TodoItem>(item)?.set_done(done != 0);
            Ok(())
        })
    }
}

/// Whether an item is done, 1 or 0.
///
/// # Safety
/// `out` is a place for the answer; `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_todo_item_is_done(
    item: u64,
    out: *mut i32,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { catch_result(out, error, || Ok(borrow::<TodoItem>(item)?.is_done().into())) }
}

/// A listener that the host language implements: `notify(key, what, handle)` is called from any
/// thread, and owns the handle it gets; `drop(key)` once, when native code holds it no more.
///
/// # Safety
/// Both functions stay callable until `drop` was called, `out` is a place for a handle, `error` is
/// NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_listener_new(
    notify: Option<unsafe extern "C" fn(u64, u32, u64)>,
    drop: Option<unsafe extern "C" fn(u64)>,
    key: u64,
    out: *mut u64,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch_result(out, error, || {
            let (Some(notify), Some(drop)) = (notify, drop) else {
                return Err(Error::new(Status::BadArgument, "a listener needs both functions"));
            };
            lower(Arc::new(Listener::new(notify, drop, key)))
        })
    }
}

/// Starts native workers that together make `per_second` objects. The handle is closed and released
/// by `ai_churn_stop`.
///
/// # Safety
/// `out` is a place for a handle, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_churn_start(
    threads: u32,
    per_second: u32,
    out: *mut u64,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { catch_result(out, error, || lower(Arc::new(Churn::start(threads, per_second)?))) }
}

/// Stops workers, waits until they have released everything, and releases their handle.
///
/// # Safety
/// `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_churn_stop(churn: u64, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch(error, || {
            match close::<Churn>(churn, Churn::close_with_defaults) {
                // stopped already, by the inspector's button perhaps
                Err(error) if error.status != Status::Closed => return Err(error),
                _ => {}
            }
            ownership::release(runtime(), churn)
        })
    }
}

/// Gives handles to a native thread that releases them after `pause_millis`, or at its very end if
/// `at_end` is not 0. No thread waits for it.
///
/// # Safety
/// `handles` points to `count` handles, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_release_elsewhere(
    handles: *const u64,
    count: usize,
    pause_millis: u32,
    at_end: i32,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch(error, || {
            if handles.is_null() {
                return Err(Error::new(Status::BadArgument, "no handles"));
            }
            let handles = std::slice::from_raw_parts(handles, count).to_vec();
            let moment = if at_end == 0 { Moment::Running } else { Moment::Ended };
            release_elsewhere(handles, Duration::from_millis(u64::from(pause_millis)), moment)
        })
    }
}
