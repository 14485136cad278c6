//! Removing segments of the dead, for viewers.

use std::path::Path;

use super::{catch, AiError, AiText};
use segment::status::{Error, Status};
use segment::sweep::{sweep, Extent};

/// Counts of removed and kept segments.
#[repr(C)]
pub struct AiSwept {
    /// Segments of dead processes that were removed.
    pub removed: u64,
    /// Bytes that they took.
    pub removed_bytes: u64,
    /// Segments of dead processes that stay.
    pub kept: u64,
    /// Bytes that these take.
    pub kept_bytes: u64,
}

/// Removes segments of dead processes from a directory: with `extent` 0 the overdue segments, 1 all
/// but fresh segments, 2 all.
///
/// # Safety
/// `directory` is a text; `swept` points to memory for an `AiSwept`; `error` is NULL or points to
/// memory for an `AiError`.
#[no_mangle]
pub unsafe extern "C" fn ai_sweep(
    directory: AiText,
    extent: u8,
    swept: *mut AiSwept,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promises.
    unsafe {
        catch(error, || {
            let extent = match extent {
                0 => Extent::Overdue,
                1 => Extent::Settled,
                2 => Extent::Everything,
                _ => {
                    return Err(Error::new(
                        Status::BadArgument,
                        format!("{extent} is no extent of a sweep"),
                    ))
                }
            };
            let found = sweep(Path::new(directory.read()?), "", extent);
            swept.write(AiSwept {
                removed: found.removed,
                removed_bytes: found.removed_bytes,
                kept: found.kept,
                kept_bytes: found.kept_bytes,
            });
            Ok(())
        })
    }
}
