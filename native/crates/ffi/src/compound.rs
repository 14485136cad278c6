//! Compound values with objects in them, and the sample object that takes and returns a compound.
//! No logic: see `objects::ownership::compound`.

use std::sync::Arc;

use super::{bytes, catch, catch_result, catch_value, place, AiBuffer, AiError};
use objects::ownership::in_flight::{Buffer, Reference};
use objects::ownership::{borrow, compound, lower};
use samples::{Board, Planner};
use segment::status::Result;

/// A compound value: its bytes, and the number of the buffer that holds the references in it.
///
/// The receiver lifts the references that it wants with `ai_buffer_lift`, and ends the buffer with
/// `ai_buffer_end` in any case.
#[repr(C)]
pub struct AiCompound {
    /// Bytes for the receiver, which returns them with `ai_buffer_free`.
    pub bytes: AiBuffer,
    /// The buffer.
    pub buffer: u64,
}

impl AiCompound {
    fn lower<T: compound::Compound>(value: T) -> Result<Self> {
        let (bytes, buffer) = compound::lower(value)?;
        Ok(Self { bytes: AiBuffer::from_vec(bytes), buffer: buffer.into_number() })
    }
}

/// The number of a new buffer for references, for `ai_buffer_lower`; ended by the function that
/// gets it, or by `ai_buffer_end`.
#[no_mangle]
pub extern "C" fn ai_buffer_begin() -> u64 {
    catch_value(0, || Buffer::new().into_number())
}

/// Counts the object of a handle up; that reference is in the buffer under `number`, which the
/// bytes carry.
///
/// # Safety
/// `number` is a place for a number, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_buffer_lower(
    buffer: u64,
    handle: u64,
    number: *mut u64,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch_result(number, error, || {
            let buffer = std::mem::ManuallyDrop::new(Buffer::from_number(buffer));
            buffer.lower(Reference::of_handle(handle)?)
        })
    }
}

/// Moves the reference `number` out of the buffer into a new handle.
///
/// # Safety
/// `handle` is a place for a handle, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_buffer_lift(
    buffer: u64,
    number: u64,
    handle: *mut u64,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch_result(handle, error, || {
            let buffer = std::mem::ManuallyDrop::new(Buffer::from_number(buffer));
            buffer.lift(number)?.into_handle()
        })
    }
}

/// Gives up the references that are still in a buffer. A second time it does nothing.
#[no_mangle]
pub extern "C" fn ai_buffer_end(buffer: u64) {
    catch_value((), || drop(Buffer::from_number(buffer)));
}

/// A planner without a board.
///
/// # Safety
/// `out` is a place for a handle, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_planner_new(out: *mut u64, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { catch_result(out, error, || lower(Arc::new(Planner::new()))) }
}

/// Gives a planner an optional board and gets its earlier board. `buffer` has ended afterwards,
/// also on failure.
///
/// # Safety
/// `data` points to `length` bytes, `out` to a place for a compound value, `error` is NULL or a
/// place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_planner_exchange(
    planner: u64,
    data: *const u8,
    length: usize,
    buffer: u64,
    out: *mut AiCompound,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch(error, || {
            let buffer = Buffer::from_number(buffer);
            let board: Option<Board> = compound::lift(bytes(data, length)?, buffer)?;
            let (planner, out) = (borrow::<Planner>(planner)?, place(out)?);
            *out = AiCompound::lower(planner.exchange(board))?;
            Ok(())
        })
    }
}

/// A board with the objects of a planner's board, each counted up.
///
/// # Safety
/// `out` is a place for a compound value, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_planner_board(
    planner: u64,
    out: *mut AiCompound,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { catch_result(out, error, || AiCompound::lower(borrow::<Planner>(planner)?.board())) }
}
