//! Types that adapters describe, and the rows that adapters keep.

use std::slice;

use super::{catch, catch_result, catch_value, AiError, AiText};
use recorder::events::{self, Entry};
use recorder::levels;
use recorder::rows::{self, NewRow};
use recorder::runtime::runtime;
use recorder::threads;
use recorder::types::{self, Described};
use segment::layout::{ReferenceState, ResourceState};
use segment::status::{Error, Result, Status};

/// A type as an adapter describes it. Texts are UTF-8.
#[repr(C)]
pub struct AiTypeSpec {
    /// Name.
    pub name: AiText,
    /// Crate or module.
    pub origin: AiText,
    /// How it closes, for people; empty: it does not say.
    pub close_signature: AiText,
    /// `Kind`.
    pub kind: u8,
    /// 1 when it closes.
    pub closes: u8,
    /// 1 when only the owner thread may close.
    pub thread_affine: u8,
    /// Size of the value, 0: unknown.
    pub size_bytes: u64,
    /// Bytes from the allocation's start to the data.
    pub data_offset: u64,
}

/// The index of a type that an adapter describes; the same name, origin and kind give the same
/// index.
///
/// # Safety
/// `spec` points to a valid description, `type_id` to a place for an index, `error` is NULL or a
/// place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_type(
    spec: *const AiTypeSpec,
    type_id: *mut u16,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise, for all of them.
    unsafe {
        catch_result(type_id, error, || {
            let spec = spec
                .as_ref()
                .ok_or_else(|| Error::new(Status::BadArgument, "no description of a type"))?;
            let described = Described {
                name: spec.name.read()?,
                origin: spec.origin.read()?,
                close_signature: spec.close_signature.read()?,
                kind: spec.kind,
                closes: spec.closes != 0,
                is_thread_affine: spec.thread_affine != 0,
                size_bytes: spec.size_bytes,
                data_offset: spec.data_offset,
            };
            types::describe(runtime(), &described)
        })
    }
}

/// The row of an object of a type, before it has its number.
pub fn new_row(type_id: u16, address: u64, data: u64, is_born_now: bool) -> NewRow {
    let is_foreign = rows::is_foreign(runtime(), type_id);
    let owner = if is_born_now && types::is_thread_affine(runtime(), type_id) {
        threads::here()
    } else {
        0
    };
    NewRow { type_id, address, data, owner, is_foreign, is_born_now }
}

/// Refuses an index that no type has.
pub fn known_type(type_id: u16) -> Result<()> {
    let is_known =
        type_id != 0 && u32::from(type_id) < runtime().segment().used(segment::Part::Types);
    is_known
        .then_some(())
        .ok_or_else(|| Error::new(Status::BadArgument, format!("no such type: {type_id}")))
}

/// A row for an object that lives elsewhere. `born_now` 0: the object is older than the recording.
///
/// # Safety
/// `row` points to a place for a handle, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_row_add(
    type_id: u16,
    address: u64,
    data: u64,
    born_now: i32,
    row: *mut u64,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch_result(row, error, || {
            known_type(type_id)?;
            rows::add(runtime(), &new_row(type_id, address, data, born_now != 0))
        })
    }
}

/// Rows for `count` objects that are older than the recording. After an error `rows` holds the rows
/// made so far, and 0 beyond.
///
/// # Safety
/// `addresses` and `datas` point to `count` numbers, `rows` to places for as many, `error` is NULL
/// or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_rows_add(
    type_id: u16,
    addresses: *const u64,
    datas: *const u64,
    count: usize,
    rows: *mut u64,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch(error, || {
            if count == 0 {
                return Ok(());
            }
            if addresses.is_null() || datas.is_null() || rows.is_null() || count > u32::MAX as usize
            {
                return Err(Error::new(Status::BadArgument, "no numbers where rows were promised"));
            }
            known_type(type_id)?;
            let (addresses, datas) =
                (slice::from_raw_parts(addresses, count), slice::from_raw_parts(datas, count));
            let made = slice::from_raw_parts_mut(rows, count);
            made.fill(0);
            for (place, (&address, &data)) in made.iter_mut().zip(addresses.iter().zip(datas)) {
                *place = rows::add(runtime(), &new_row(type_id, address, data, false))?;
            }
            Ok(())
        })
    }
}

/// Ends a row: `Released`, or `Dropped` when the destructor is known to have run.
///
/// # Safety
/// `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_row_end(row: u64, reference_state: u8, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch(error, || {
            let ends = [ReferenceState::Released, ReferenceState::Dropped];
            let state = ends.into_iter().find(|&state| state as u8 == reference_state);
            let state = state.ok_or_else(|| {
                Error::new(
                    Status::BadArgument,
                    format!("not a state that ends a row: {reference_state}"),
                )
            })?;
            rows::end(runtime(), row, state)
        })
    }
}

/// Sets a row's address, found out later. A `Status`.
#[no_mangle]
pub extern "C" fn ai_row_address(row: u64, address: u64) -> i32 {
    // SAFETY: no place for an error.
    unsafe { catch(std::ptr::null_mut(), || rows::set_address(runtime(), row, address)) }
}

/// Sets a row's counts as an adapter knows them. A `Status`.
#[no_mangle]
pub extern "C" fn ai_row_counts(row: u64, strong: u32, weak: u16, in_flight: u16) -> i32 {
    // SAFETY: no place for an error.
    unsafe {
        catch(std::ptr::null_mut(), || rows::set_counts(runtime(), row, strong, weak, in_flight))
    }
}

/// Sets the `ResourceState` of a row's resource, which an adapter closes. A `Status`.
#[no_mangle]
pub extern "C" fn ai_row_resource(row: u64, resource_state: u8) -> i32 {
    // SAFETY: no place for an error.
    unsafe {
        catch(std::ptr::null_mut(), || {
            let state = ResourceState::from_number(resource_state);
            let state = state.ok_or_else(|| {
                Error::new(Status::BadArgument, format!("no such state: {resource_state}"))
            })?;
            rows::set_resource(runtime(), row, state)
        })
    }
}

/// Forgets all live rows of an adapter's type, without a word on their objects.
#[no_mangle]
pub extern "C" fn ai_rows_clear(type_id: u16) {
    catch_value((), || {
        // an unknown type has no rows
        let _ = rows::clear(runtime(), type_id);
    });
}

/// Writes an event of a row to the history of the calling thread, if its type has a history.
#[no_mangle]
pub extern "C" fn ai_event(kind: u8, row: u64, address: u64, count: u32) {
    catch_value((), || {
        let Some(slot) = runtime().table.slot_of(row) else { return };
        let type_id = slot.word0().type_id();
        if levels::has_history(runtime(), type_id) {
            events::write(runtime(), &Entry { kind, type_id, handle: row, address, count });
        }
    });
}
