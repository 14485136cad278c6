//! The two calls that an adapter makes for every object that it follows, with nothing to fill in.
//!
//! From Python each pointer argument costs as much as the rest of such a call, and a place for a
//! result three times that.

use std::sync::atomic::{AtomicU64, Ordering};

use super::catch_value;
use super::rows::{known_type, new_row};
use recorder::rows;
use recorder::runtime::runtime;
use recorder::threads::local;
use segment::layout::ReferenceState;

/// A row for an object that crossed the boundary now, on this thread and at `site` (0: not
/// recorded). Returns it; 0: it found no room, which is counted, or there is no such type.
#[no_mangle]
pub extern "C" fn ai_row_born(type_id: u16, address: u64, data: u64, site: u32) -> u64 {
    catch_value(0, || {
        if known_type(type_id).is_err() {
            return 0;
        }
        let before = local(|local| local.site.replace(site));
        let made = rows::add(runtime(), &new_row(type_id, address, data, true));
        local(|local| local.site.set(before));
        made.unwrap_or(0)
    })
}

/// A row for a call that is older than the recording and stands at `site`, 0: not known. Returns its
/// number, 0: there was no room.
#[no_mangle]
pub extern "C" fn ai_row_standing(type_id: u16, address: u64, data: u64, site: u32) -> u64 {
    let row = || rows::add_standing(runtime(), &new_row(type_id, address, data, false), site);
    catch_value(0, || row().unwrap_or(0))
}

/// Ends the row of a reference that its library is about to release: `Dropped` when the count at
/// `strong` says that it is the last reference, otherwise, and without an address, `Released`. If
/// two threads release the last two references at the same instant, both rows may be called
/// released.
///
/// # Safety
/// `strong` is 0 or the address of the count that the release will itself change, which the
/// reference keeps allocated.
#[no_mangle]
pub unsafe extern "C" fn ai_row_gone(row: u64, strong: u64) {
    let count = if strong == 0 {
        0
    } else {
        // SAFETY: the caller's promise; the library changes the word with atomic operations as well.
        // Relaxed: only the number is used.
        unsafe { (*(strong as *const AtomicU64)).load(Ordering::Relaxed) }
    };
    let state = if count == 1 { ReferenceState::Dropped } else { ReferenceState::Released };
    catch_value((), || {
        // a row that found no room, or that a detach ended, has nothing to end
        let _ = rows::end(runtime(), row, state);
    });
}
