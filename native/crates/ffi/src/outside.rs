//! Reading another process's memory, for the viewer. No logic: see `viewer::outside`.

use std::io;
use std::slice;

use super::{catch, catch_result, place, AiError};
use segment::status::{Error, Result, Status};
use viewer::outside::{self, Bounds, Hit, Searched};

/// The caller's places for `count` values.
///
/// # Safety
/// `first` points to `count` values that no other code uses during `'a`, or `count` is 0.
pub(super) unsafe fn places<'a, T>(first: *mut T, count: usize) -> Result<&'a mut [T]> {
    if count == 0 {
        return Ok(&mut []);
    }
    if first.is_null() || count > isize::MAX as usize / size_of::<T>().max(1) {
        return Err(Error::new(Status::BadArgument, "no place for the results"));
    }
    // SAFETY: not NULL and not absurd; the rest is the caller's promise.
    Ok(unsafe { slice::from_raw_parts_mut(first, count) })
}

fn refused(pid: u32) -> impl FnOnce(io::Error) -> Error {
    move |error| {
        if platform::is_ended(&error) {
            Error::new(Status::NotRunning, format!("process {pid} has ended"))
        } else {
            Error::io(format_args!("the memory of process {pid}"), &error)
        }
    }
}

/// Copy bytes that lie together out of another process; `copied` gets how many could be, from the
/// first on.
///
/// # Safety
/// `out` points to `size` bytes, `copied` to a number; `error` is NULL or points to memory for an
/// `AiError`.
#[no_mangle]
pub unsafe extern "C" fn ai_outside_read(
    pid: u32,
    address: u64,
    out: *mut u8,
    size: usize,
    copied: *mut u64,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promises.
    unsafe {
        catch(error, || {
            *place(copied)? =
                outside::read(pid, address, places(out, size)?).map_err(refused(pid))? as u64;
            Ok(())
        })
    }
}

/// Copy `each` bytes from every of `count` addresses of another process; `readable[i]` gets 1 where
/// that could be done, else 0.
///
/// # Safety
/// `addresses` points to `count` numbers, `out` to `count * each` bytes, `readable` to `count`
/// bytes; `error` is NULL or points to memory for an `AiError`.
#[no_mangle]
pub unsafe extern "C" fn ai_outside_gather(
    pid: u32,
    addresses: *const u64,
    count: usize,
    each: usize,
    out: *mut u8,
    readable: *mut u8,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promises.
    unsafe {
        catch(error, || {
            let size = count
                .checked_mul(each)
                .ok_or_else(|| Error::new(Status::BadArgument, "more than there can be"))?;
            let addresses = places(addresses.cast_mut(), count)?;
            outside::gather(pid, addresses, each, places(out, size)?, places(readable, count)?)
                .map_err(refused(pid))
        })
    }
}

/// Search another process's memory from `low` up to `high` for objects of the types in `wanted`;
/// writes as many hits as fit.
///
/// # Safety
/// `wanted` points to `count` numbers, `out` to `capacity` hits, `searched` to memory for a number;
/// `error` is NULL or points to memory for an `AiError`.
#[no_mangle]
pub unsafe extern "C" fn ai_outside_search(
    pid: u32,
    low: u64,
    high: u64,
    wanted: *const u64,
    count: usize,
    out: *mut Hit,
    capacity: usize,
    searched: *mut Searched,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promises.
    unsafe {
        catch_result(searched, error, || {
            let wanted = places(wanted.cast_mut(), count)?;
            outside::search(pid, low, high, wanted, places(out, capacity)?).map_err(refused(pid))
        })
    }
}

/// Search another process's memory from `low` up to `high` for words that lead into `ranges`;
/// writes as many hits as fit.
///
/// # Safety
/// `ranges` points to `count` ranges, `out` to `capacity` hits, `searched` to memory for a number;
/// `error` is NULL or points to memory for an `AiError`.
#[no_mangle]
pub unsafe extern "C" fn ai_outside_references(
    pid: u32,
    low: u64,
    high: u64,
    ranges: *const Bounds,
    count: usize,
    out: *mut Hit,
    capacity: usize,
    searched: *mut Searched,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promises.
    unsafe {
        catch_result(searched, error, || {
            let ranges = places(ranges.cast_mut(), count)?;
            outside::references(pid, low, high, ranges, places(out, capacity)?)
                .map_err(refused(pid))
        })
    }
}
