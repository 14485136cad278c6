//! The sample objects that close: journals, and cursors in them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{catch, catch_result, place, AiBuffer, AiError, AiText};
use objects::ownership::{borrow, close, lower};
use samples::{Cursor, Journal};

/// Opens a journal, a file that lines are appended to.
///
/// # Safety
/// `path` is valid, `out` is a place for a handle, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_journal_open(path: AiText, out: *mut u64, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { catch_result(out, error, || lower(Arc::new(Journal::open(Path::new(path.read()?))?))) }
}

/// Appends a line.
///
/// # Safety
/// `line` is valid, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_journal_append(journal: u64, line: AiText, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { catch(error, || borrow::<Journal>(journal)?.append(line.read()?)) }
}

/// Appends a line after `millis`, during which the call is in flight.
///
/// # Safety
/// `line` is valid, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_journal_append_slowly(
    journal: u64,
    line: AiText,
    millis: u32,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch(error, || {
            let journal = borrow::<Journal>(journal)?;
            journal.append_slowly(line.read()?, Duration::from_millis(u64::from(millis)))
        })
    }
}

/// Closes a journal, after its bytes have reached the disk if `flush` is not 0. `Pending`:
/// accepted, and the last call in flight closes.
///
/// # Safety
/// `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_journal_close(journal: u64, flush: i32, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { catch(error, || close::<Journal>(journal, move |journal| journal.close(flush != 0))) }
}

/// Lines appended so far.
///
/// # Safety
/// `out` is a place for a number, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_journal_lines(journal: u64, out: *mut u64, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { catch_result(out, error, || Ok(borrow::<Journal>(journal)?.lines())) }
}

/// Opens a cursor at a journal's first line. The calling thread becomes its owner; the cursor holds
/// the journal.
///
/// # Safety
/// `out` is a place for a handle, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_cursor_open(journal: u64, out: *mut u64, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch_result(out, error, || {
            let journal = borrow::<Journal>(journal)?;
            lower(Arc::new(Cursor::open(Arc::clone(journal.arc()))?))
        })
    }
}

/// The next line; `more` becomes 0 after the last, and `line` is then empty.
///
/// # Safety
/// `line` is a place for a buffer, `more` for a number, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_cursor_next(
    cursor: u64,
    line: *mut AiBuffer,
    more: *mut i32,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch(error, || {
            let (line, more) = (place(line)?, place(more)?);
            let next = borrow::<Cursor>(cursor)?.next_line()?;
            *more = i32::from(next.is_some());
            *line = AiBuffer::from_vec(next.unwrap_or_default().into_bytes());
            Ok(())
        })
    }
}

/// Closes a cursor. From another thread than its owner: `Pending`, and the owner closes it at its
/// next call or `ai_drain`.
///
/// # Safety
/// `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_cursor_close(cursor: u64, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { catch(error, || close::<Cursor>(cursor, Cursor::close)) }
}
