//! Reading segments, for the viewer. No logic: see `viewer::reader`.
//!
//! Functions that answer with a number of records answer with a negative `Status` when they fail. A
//! reader may be used from several threads; it must not be closed while one uses it.

use std::ffi::OsStr;
use std::mem::size_of;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::slice;

use super::{bytes, catch, catch_result, place, AiError};
use segment::layout::{Event, FrameSlot, HandleSlot, Header, SiteSlot, ThreadSlot, TypeSlot};
use segment::status::{Error, Result, Status};
use viewer::reader::{Part, Reader, Record};

/// Open the segment at `path`. NULL, with `error` filled, when it is none that can be read.
///
/// # Safety
/// `path` points to `length` readable bytes; `error` is NULL or points to memory for an `AiError`.
#[no_mangle]
pub unsafe extern "C" fn ai_reader_open(
    path: *const u8,
    length: usize,
    error: *mut AiError,
) -> *mut Reader {
    let mut opened = std::ptr::null_mut();
    // SAFETY: the caller's promise about `error`.
    unsafe {
        catch(error, || {
            // SAFETY: the caller's promise about `path`.
            let path = Path::new(OsStr::from_bytes(bytes(path, length)?));
            opened = Box::into_raw(Box::new(Reader::open(path)?));
            Ok(())
        });
    }
    opened
}

/// Close a reader. NULL is fine.
///
/// # Safety
/// `reader` came from `ai_reader_open`; no thread uses it now or later.
#[no_mangle]
pub unsafe extern "C" fn ai_reader_close(reader: *mut Reader) {
    if !reader.is_null() {
        // SAFETY: the caller's promise; the box was made by `ai_reader_open`.
        drop(unsafe { Box::from_raw(reader) });
    }
}

/// Copy the header as it is now, its marks checked.
///
/// # Safety
/// `reader` is open; `out` points to memory for a header; `error` is NULL or points to memory for
/// an `AiError`.
#[no_mangle]
pub unsafe extern "C" fn ai_reader_header(
    reader: *const Reader,
    out: *mut Header,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promises.
    unsafe { catch_result(out, error, || Ok(self::reader(reader)?.header()?)) }
}

/// Copy rows 1 to the high-water mark: row *i* to `out[i - 1]`, never-used rows as zeros. Answers
/// with the rows that there are, of which at most `capacity` are copied. `changing` gets how many
/// would not hold still; these have `BUSY` in `reference_state`.
///
/// # Safety
/// `reader` is open; `out` points to `capacity` rows, `changing` to a number or is NULL; `error` is
/// NULL or points to memory for an `AiError`.
#[no_mangle]
pub unsafe extern "C" fn ai_reader_handles(
    reader: *const Reader,
    out: *mut HandleSlot,
    capacity: usize,
    changing: *mut u64,
    error: *mut AiError,
) -> i64 {
    // SAFETY: the caller's promises.
    unsafe {
        count(error, || {
            let found = self::reader(reader)?.handles(records(out, capacity)?)?;
            if let Some(changing) = changing.as_mut() {
                *changing = found.changing;
            }
            Ok(found.rows)
        })
    }
}

/// Copy the rows that are not free, in slot order, and the index of each. Answers with the rows
/// that there are, of which at most `capacity` are copied. See `ai_reader_handles` for `changing`.
///
/// # Safety
/// As `ai_reader_handles`; `indices` points to `capacity` numbers.
#[no_mangle]
pub unsafe extern "C" fn ai_reader_live(
    reader: *const Reader,
    out: *mut HandleSlot,
    indices: *mut u32,
    capacity: usize,
    changing: *mut u64,
    error: *mut AiError,
) -> i64 {
    // SAFETY: the caller's promises.
    unsafe {
        count(error, || {
            let found =
                self::reader(reader)?.live(records(out, capacity)?, records(indices, capacity)?)?;
            if let Some(changing) = changing.as_mut() {
                *changing = found.changing;
            }
            Ok(found.rows)
        })
    }
}

/// Copy thread slots from index `from` on. Returns their number. `calls` holds the calls in flight,
/// and 0 beyond them.
///
/// # Safety
/// `reader` is open; `out` points to `capacity` records; `error` is NULL or points to memory for an
/// `AiError`.
#[no_mangle]
pub unsafe extern "C" fn ai_reader_threads(
    reader: *const Reader,
    out: *mut ThreadSlot,
    from: usize,
    capacity: usize,
    error: *mut AiError,
) -> i64 {
    // SAFETY: the caller's promises.
    unsafe { count(error, || Ok(self::reader(reader)?.threads(from, records(out, capacity)?)?)) }
}

/// Copy types from index `from` on. Answers with how many.
///
/// # Safety
/// As `ai_reader_threads`.
#[no_mangle]
pub unsafe extern "C" fn ai_reader_types(
    reader: *const Reader,
    out: *mut TypeSlot,
    from: usize,
    capacity: usize,
    error: *mut AiError,
) -> i64 {
    // SAFETY: the caller's promises, passed on.
    unsafe { part(reader, Part::Types, out, from, capacity, error) }
}

/// Copy sites from index `from` on. Answers with how many.
///
/// # Safety
/// As `ai_reader_threads`.
#[no_mangle]
pub unsafe extern "C" fn ai_reader_sites(
    reader: *const Reader,
    out: *mut SiteSlot,
    from: usize,
    capacity: usize,
    error: *mut AiError,
) -> i64 {
    // SAFETY: the caller's promises, passed on.
    unsafe { part(reader, Part::Sites, out, from, capacity, error) }
}

/// Copy frames from index `from` on. Answers with how many.
///
/// # Safety
/// As `ai_reader_threads`.
#[no_mangle]
pub unsafe extern "C" fn ai_reader_frames(
    reader: *const Reader,
    out: *mut FrameSlot,
    from: usize,
    capacity: usize,
    error: *mut AiError,
) -> i64 {
    // SAFETY: the caller's promises, passed on.
    unsafe { part(reader, Part::Frames, out, from, capacity, error) }
}

/// Copy bytes of the string arena from byte `from` on. Answers with how many.
///
/// # Safety
/// As `ai_reader_threads`.
#[no_mangle]
pub unsafe extern "C" fn ai_reader_strings(
    reader: *const Reader,
    out: *mut u8,
    from: usize,
    capacity: usize,
    error: *mut AiError,
) -> i64 {
    // SAFETY: the caller's promises, passed on.
    unsafe { part(reader, Part::Strings, out, from, capacity, error) }
}

/// Copy the text at byte `offset` of the string arena. Answers with its length in bytes, of which
/// at most `capacity` are copied.
///
/// # Safety
/// As `ai_reader_threads`.
#[no_mangle]
pub unsafe extern "C" fn ai_reader_text(
    reader: *const Reader,
    offset: u32,
    out: *mut u8,
    capacity: usize,
    error: *mut AiError,
) -> i64 {
    // SAFETY: the caller's promises.
    unsafe { count(error, || Ok(self::reader(reader)?.text(offset, records(out, capacity)?)?)) }
}

/// Copy events of ring `ring` (index 0 and up, without events when it was never used) from sequence
/// number `from` on. Returns their number; `next` gets the number of the next event, `lost` the
/// number of events after `from` that were overwritten before they could be read.
///
/// # Safety
/// As `ai_reader_threads`; `next` and `lost` point to a number each.
#[no_mangle]
pub unsafe extern "C" fn ai_reader_events(
    reader: *const Reader,
    ring: u32,
    from: u64,
    out: *mut Event,
    capacity: usize,
    next: *mut u64,
    lost: *mut u64,
    error: *mut AiError,
) -> i64 {
    // SAFETY: the caller's promises.
    unsafe {
        count(error, || {
            let found = self::reader(reader)?.events(ring, from, records(out, capacity)?)?;
            *place(next)? = found.next;
            *place(lost)? = found.lost;
            Ok(found.count)
        })
    }
}

/// For each used ring, as many as `capacity`, how many of its events can no longer be read. Answers
/// with how many rings.
///
/// # Safety
/// As `ai_reader_threads`.
#[no_mangle]
pub unsafe extern "C" fn ai_reader_events_gone(
    reader: *const Reader,
    out: *mut u64,
    capacity: usize,
    error: *mut AiError,
) -> i64 {
    // SAFETY: the caller's promises.
    unsafe { count(error, || Ok(self::reader(reader)?.events_gone(records(out, capacity)?)?)) }
}

/// 1 when a process holds the segment's lifetime lock, so the target lives; 0 when no process does;
/// negative: a `Status`.
///
/// # Safety
/// `reader` is open; `error` is NULL or points to memory for an `AiError`.
#[no_mangle]
pub unsafe extern "C" fn ai_reader_locked(reader: *const Reader, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promises.
    let answer = unsafe { count(error, || Ok(usize::from(self::reader(reader)?.is_locked()?))) };
    answer as i32
}

/// Bytes really allocated for the segment, 0 when that is unknown.
///
/// # Safety
/// `reader` is NULL or open.
#[no_mangle]
pub unsafe extern "C" fn ai_reader_allocated(reader: *const Reader) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { reader.as_ref() }.map_or(0, Reader::allocated)
}

/// The caller's reader.
///
/// # Safety
/// `reader` is NULL or open during `'a`.
unsafe fn reader<'a>(reader: *const Reader) -> Result<&'a Reader> {
    // SAFETY: the caller's promise.
    unsafe { reader.as_ref() }.ok_or_else(|| Error::new(Status::BadArgument, "no reader"))
}

/// The caller's memory for records.
///
/// # Safety
/// `out` is NULL with a capacity of 0, or points to `capacity` records that no other code uses
/// during `'a`.
unsafe fn records<'a, T: Record>(out: *mut T, capacity: usize) -> Result<&'a mut [T]> {
    if capacity == 0 {
        return Ok(&mut []);
    }
    if out.is_null()
        || !out.is_aligned()
        || capacity.checked_mul(size_of::<T>()).is_none_or(|size| size > isize::MAX as usize)
    {
        return Err(Error::new(Status::BadArgument, "no place for the records"));
    }
    // SAFETY: not NULL, aligned and not absurd; the rest is the caller's promise, and any bytes are
    // valid records.
    Ok(unsafe { slice::from_raw_parts_mut(out, capacity) })
}

/// Copy records of one part.
///
/// # Safety
/// As `ai_reader_threads`.
unsafe fn part<T: Record>(
    reader: *const Reader,
    part: Part,
    out: *mut T,
    from: usize,
    capacity: usize,
    error: *mut AiError,
) -> i64 {
    // SAFETY: the caller's promises.
    unsafe {
        count(error, || Ok(self::reader(reader)?.records(part, from, records(out, capacity)?)?))
    }
}

/// Run `body` and answer with its number, or with a negative status.
///
/// # Safety
/// `error` is NULL or points to memory for an `AiError`.
unsafe fn count(error: *mut AiError, body: impl FnOnce() -> Result<usize>) -> i64 {
    let mut answer = 0;
    // SAFETY: the caller's promise.
    let status = unsafe {
        catch(error, || {
            answer = i64::try_from(body()?)
                .map_err(|_| Error::new(Status::BadArgument, "a number without meaning"))?;
            Ok(())
        })
    };
    if status == 0 {
        answer
    } else {
        -i64::from(status)
    }
}
