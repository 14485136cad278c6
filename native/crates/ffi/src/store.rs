//! The viewer's store of handles. No logic: see `store`. Questions are in `questions`.
//!
//! A store belongs to one thread at a time. A table is frozen: any number of threads may ask it at
//! once, and it must not be freed while one does. `given_up` is NULL, or a number that another
//! thread makes not 0 to end a call early; the call then fails with `Status::Unavailable`.

use std::slice;
use std::sync::atomic::{AtomicI32, Ordering};

use super::{catch, place, AiError};
use segment::status::{Error, Result, Status};
use store::{HandleField, HandleStore, HandleTable, Kinds, TableClock, Threads};
use viewer::reader::Reader;

/// Facts about a table.
#[repr(C)]
pub struct AiTableFacts {
    /// Rows.
    pub rows: u64,
    /// Rows that are no tombstones.
    pub live: u64,
    /// Rows that were left out, since their states make no sense.
    pub damaged: u64,
    /// Two tables of one store with one version have equal columns.
    pub version: u64,
    /// Numbers for `ai_table_calls`.
    pub calls: u64,
    /// Numbers for `ai_table_strangers`.
    pub strangers: u64,
    /// Numbers for `ai_table_named`.
    pub named: u64,
}

/// A store without rows.
#[no_mangle]
pub extern "C" fn ai_store_new() -> *mut HandleStore {
    Box::into_raw(Box::new(HandleStore::new()))
}

/// Free a store; its tables live on. NULL is fine.
///
/// # Safety
/// `store` came from `ai_store_new`; no thread uses it now or later.
#[no_mangle]
pub unsafe extern "C" fn ai_store_free(store: *mut HandleStore) {
    if !store.is_null() {
        // SAFETY: the caller's promise; the box was made by `ai_store_new`.
        drop(unsafe { Box::from_raw(store) });
    }
}

/// Read the rows that changed since the last reading. Answers with their number, or with a negative
/// `Status`.
///
/// # Safety
/// `store` and `reader` are open, no other thread uses `store`; `given_up` is NULL or a number;
/// `error` is NULL or points to memory for an `AiError`.
#[no_mangle]
pub unsafe extern "C" fn ai_store_read(
    store: *mut HandleStore,
    reader: *const Reader,
    given_up: *const i32,
    error: *mut AiError,
) -> i64 {
    let mut changed = 0;
    // SAFETY: the caller's promises.
    let status = unsafe {
        catch(error, || {
            let reader = reader.as_ref().ok_or_else(|| argument("no reader"))?;
            changed = place(store)?.read(reader, &|| is_set(given_up))?;
            Ok(())
        })
    };
    answer(status, changed)
}

/// A table of the rows last read. `kinds`: for each index of a type a sum of `KIND_…`; `calls`:
/// handles that threads use now; `tids` and `indices`: the living threads; `records`: threads that
/// have a record. NULL when it fails.
///
/// # Safety
/// `store` is open and no other thread uses it; the arrays have the lengths given; `clock` points
/// to a clock; `error` is NULL or points to memory for an `AiError`.
#[no_mangle]
#[allow(clippy::too_many_arguments, reason = "a C interface")]
pub unsafe extern "C" fn ai_store_publish(
    store: *mut HandleStore,
    kinds: *const u16,
    kinds_length: usize,
    calls: *const u64,
    calls_length: usize,
    tids: *const u32,
    indices: *const u32,
    threads: usize,
    records: u32,
    clock: *const TableClock,
    error: *mut AiError,
) -> *mut HandleTable {
    let mut made = std::ptr::null_mut();
    // SAFETY: the caller's promises.
    unsafe {
        catch(error, || {
            let kinds = Kinds(many(kinds, kinds_length)?.to_vec());
            let (tids, indices) = (many(tids, threads)?, many(indices, threads)?);
            let threads = Threads {
                calls: many(calls, calls_length)?.to_vec(),
                indices: tids.iter().copied().zip(indices.iter().copied()).collect(),
                records,
            };
            let clock = *clock.as_ref().ok_or_else(|| argument("no clock"))?;
            let table = place(store)?.publish(kinds, &threads, clock);
            made = Box::into_raw(Box::new(table));
            Ok(())
        });
    }
    made
}

/// Free a table. NULL is fine.
///
/// # Safety
/// `table` came from `ai_store_publish`; no thread uses it, or memory of it, now or later.
#[no_mangle]
pub unsafe extern "C" fn ai_table_free(table: *mut HandleTable) {
    if !table.is_null() {
        // SAFETY: the caller's promise; the box was made by `ai_store_publish`.
        drop(unsafe { Box::from_raw(table) });
    }
}

/// Facts about a table.
///
/// # Safety
/// `table` is alive; `out` points to memory for them; `error` is NULL or points to memory for an
/// `AiError`.
#[no_mangle]
pub unsafe extern "C" fn ai_table_facts(
    table: *const HandleTable,
    out: *mut AiTableFacts,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promises.
    unsafe {
        catch(error, || {
            let table = of(table)?;
            *place(out)? = AiTableFacts {
                rows: table.columns().len() as u64,
                live: table.live() as u64,
                damaged: table.damaged() as u64,
                version: table.version(),
                calls: table.calls().len() as u64,
                strangers: table.strangers().len() as u64,
                named: table.named().len() as u64,
            };
            Ok(())
        })
    }
}

/// Memory of a column that needs no widening, one element a row: `uint64_t` of ids, addresses and
/// data, `uint8_t` of states and of the flag `changing`. It lives and stays as it is while the
/// table lives. NULL: the column is of another sort.
///
/// # Safety
/// `table` is alive.
#[no_mangle]
pub unsafe extern "C" fn ai_table_memory(
    table: *const HandleTable,
    field: u32,
) -> *const std::ffi::c_void {
    // SAFETY: the caller's promise.
    let Some(table) = (unsafe { table.as_ref() }) else { return std::ptr::null() };
    let columns = table.columns();
    match HandleField::from_number(field) {
        Some(HandleField::Ids) => columns.ids.as_ptr().cast(),
        Some(HandleField::Addresses) => columns.addresses.as_ptr().cast(),
        Some(HandleField::Data) => columns.data.as_ptr().cast(),
        Some(HandleField::References) => columns.references.as_ptr().cast(),
        Some(HandleField::Resources) => columns.resources.as_ptr().cast(),
        Some(HandleField::Changing) => columns.changing.as_ptr().cast(),
        _ => std::ptr::null(),
    }
}

/// Write a column of whole numbers: of `rows`, or of all rows where that is NULL. `out` has
/// `length` elements.
///
/// # Safety
/// `table` is alive; `rows` is NULL or has `length` elements, as `out`; `error` is NULL or points
/// to memory for an `AiError`.
#[no_mangle]
pub unsafe extern "C" fn ai_table_ints(
    table: *const HandleTable,
    field: u32,
    rows: *const i64,
    out: *mut i64,
    length: usize,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promises.
    unsafe {
        catch(error, || {
            let (table, rows, out) = (of(table)?, chosen(rows, length)?, space(out, length)?);
            let is_done = HandleField::from_number(field)
                .is_some_and(|field| table.write_ints(field, rows, out));
            is_done.then_some(()).ok_or_else(|| argument("no such column, or no such row"))
        })
    }
}

/// As `ai_table_ints`, a column of times: seconds since the Unix epoch, NaN where unknown.
///
/// # Safety
/// As `ai_table_ints`.
#[no_mangle]
pub unsafe extern "C" fn ai_table_times(
    table: *const HandleTable,
    field: u32,
    rows: *const i64,
    out: *mut f64,
    length: usize,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promises.
    unsafe {
        catch(error, || {
            let (table, rows, out) = (of(table)?, chosen(rows, length)?, space(out, length)?);
            let is_done = HandleField::from_number(field)
                .is_some_and(|field| table.write_times(field, rows, out));
            is_done.then_some(()).ok_or_else(|| argument("no such column, or no such row"))
        })
    }
}

/// Copy the rows of calls that run, the index of the thread of each, the threads without a record
/// with their numbers in the system, and for each index of a thread the living rows that name it.
///
/// # Safety
/// `table` is alive; the arrays have the lengths that `ai_table_facts` tells; `error` is NULL or
/// points to memory for an `AiError`.
#[no_mangle]
pub unsafe extern "C" fn ai_table_threads(
    table: *const HandleTable,
    call_rows: *mut u32,
    call_threads: *mut u32,
    stranger_indices: *mut u32,
    stranger_tids: *mut u32,
    named: *mut u32,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promises.
    unsafe {
        catch(error, || {
            let table = of(table)?;
            let calls = table.calls();
            let (rows, threads) =
                (space(call_rows, calls.len())?, space(call_threads, calls.len())?);
            for (place, &(row, thread)) in calls.iter().enumerate() {
                (rows[place], threads[place]) = (row, u32::from(thread));
            }
            let strangers = table.strangers();
            let indices = space(stranger_indices, strangers.len())?;
            let tids = space(stranger_tids, strangers.len())?;
            for (place, &(index, tid)) in strangers.iter().enumerate() {
                (indices[place], tids[place]) = (index, tid);
            }
            space(named, table.named().len())?.copy_from_slice(table.named());
            Ok(())
        })
    }
}

pub(super) fn argument(why: &str) -> Error {
    Error::new(Status::BadArgument, why)
}

pub(super) fn answer(status: i32, count: usize) -> i64 {
    if status == 0 {
        i64::try_from(count).unwrap_or(i64::MAX)
    } else {
        -i64::from(status)
    }
}

pub(super) fn is_set(given_up: *const i32) -> bool {
    // SAFETY: NULL, or a number that lives during the call: the promise of every caller. Relaxed:
    // the number alone is looked at, and nothing is read because of it.
    !given_up.is_null() && unsafe { (*given_up.cast::<AtomicI32>()).load(Ordering::Relaxed) } != 0
}

/// The table.
///
/// # Safety
/// NULL, or alive during `'a`.
pub(super) unsafe fn of<'a>(table: *const HandleTable) -> Result<&'a HandleTable> {
    // SAFETY: the caller's promise.
    unsafe { table.as_ref() }.ok_or_else(|| argument("no table"))
}

/// The caller's numbers.
///
/// # Safety
/// Points to `length` of them, which nobody changes during `'a`; any bytes are a `T`.
pub(super) unsafe fn many<'a, T>(data: *const T, length: usize) -> Result<&'a [T]> {
    if length == 0 {
        return Ok(&[]);
    }
    if data.is_null() || !data.is_aligned() || length > isize::MAX as usize / size_of::<T>() {
        return Err(argument("no numbers where some were promised"));
    }
    // SAFETY: not NULL, aligned, not absurd; the rest is the caller's promise.
    Ok(unsafe { slice::from_raw_parts(data, length) })
}

/// The rows asked for; None: all.
///
/// # Safety
/// NULL, or as `many`.
unsafe fn chosen<'a>(rows: *const i64, length: usize) -> Result<Option<&'a [i64]>> {
    if rows.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    unsafe { many(rows, length) }.map(Some)
}

/// The caller's memory for results.
///
/// # Safety
/// Points to `length` elements that no other code uses during `'a`; any bytes are a `T`.
pub(super) unsafe fn space<'a, T>(data: *mut T, length: usize) -> Result<&'a mut [T]> {
    if length == 0 {
        return Ok(&mut []);
    }
    if data.is_null() || !data.is_aligned() || length > isize::MAX as usize / size_of::<T>() {
        return Err(argument("no place for the results"));
    }
    // SAFETY: not NULL, aligned, not absurd; the rest is the caller's promise.
    Ok(unsafe { slice::from_raw_parts_mut(data, length) })
}
