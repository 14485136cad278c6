//! The rows of the proxies of a class, for `native/python`; the rules of [`follow`](super::follow)
//! hold for every function.

use super::follow::{free, with};
use follow::layout::Layout;
use follow::proxies::Born;
use follow::Proxies;
use segment::layout::ResourceState;

/// `Layout::Unknown`.
pub const LAYOUT_UNKNOWN: u8 = 0;
/// `Layout::Hidden`.
pub const LAYOUT_HIDDEN: u8 = 1;
/// `Layout::Before`, `bytes`.
pub const LAYOUT_BEFORE: u8 = 2;
/// `Layout::Inner` of a `Box`.
pub const LAYOUT_BOXED: u8 = 3;
/// `Layout::Inner` of an `Arc`.
pub const LAYOUT_COUNTED: u8 = 4;

/// The layout that a number of `LAYOUT` and its bytes stand for.
pub(super) fn layout(kind: u8, bytes: u64) -> Layout {
    match kind {
        LAYOUT_HIDDEN => Layout::Hidden,
        LAYOUT_BEFORE => Layout::Before(bytes),
        LAYOUT_BOXED => Layout::Inner { counted: false },
        LAYOUT_COUNTED => Layout::Inner { counted: true },
        _ => Layout::Unknown,
    }
}

/// The rows of a class of proxies, none yet.
#[no_mangle]
pub extern "C" fn ai_proxies_new() -> *mut Proxies {
    Box::into_raw(Box::new(Proxies::new()))
}

/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_proxies_free(proxies: *mut Proxies) {
    // SAFETY: the caller's promise.
    unsafe { free(proxies) };
}

/// Proxies that are known.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_proxies_count(proxies: *mut Proxies) -> usize {
    // SAFETY: the caller's promise.
    unsafe { with(proxies, 0, |proxies| proxies.len()) }
}

/// The level in force for its rows.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_proxies_level(proxies: *mut Proxies) -> u8 {
    // SAFETY: the caller's promise.
    unsafe { with(proxies, 0, |proxies| proxies.level()) }
}

/// The type of its rows.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_proxies_set_type(proxies: *mut Proxies, type_id: u16) {
    // SAFETY: the caller's promise.
    unsafe { with(proxies, (), |proxies| proxies.set_type(type_id)) };
}

/// The place of a handle's object, one of the `LAYOUT` numbers.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_proxies_set_layout(proxies: *mut Proxies, kind: u8, bytes: u64) {
    // SAFETY: the caller's promise.
    unsafe { with(proxies, (), |proxies| proxies.set_layout(layout(kind, bytes))) };
}

/// The allocation of a live handle's object, 0: not known.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_proxies_address(proxies: *mut Proxies, handle: u64) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { with(proxies, 0, |proxies| proxies.layout().address(handle)) }
}

/// A proxy was made now, on this thread. 1: type or layout are to be found out first, then call
/// again with `is_asked`.
///
/// # Safety
/// See the module's text; `row` points to a place for a row.
#[no_mangle]
pub unsafe extern "C" fn ai_proxies_born(
    proxies: *mut Proxies,
    key: usize,
    handle: u64,
    site: u32,
    is_asked: i32,
    row: *mut u64,
) -> i32 {
    // SAFETY: the caller's promise.
    let born = unsafe {
        with(proxies, Born::Row(0), |proxies| proxies.born(key, handle, site, is_asked != 0))
    };
    match born {
        Born::Ask => 1,
        Born::Row(made) => {
            // SAFETY: the caller's promise.
            unsafe { *row = made };
            0
        }
    }
}

/// 1 when type and layout are found out.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_proxies_is_ready(proxies: *mut Proxies) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { with(proxies, 1, |proxies| i32::from(proxies.is_ready())) }
}

/// A row for a proxy that was there before; 0: it is known, or found no room.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_proxies_adopt(proxies: *mut Proxies, key: usize, handle: u64) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { with(proxies, 0, |proxies| proxies.adopt(key, handle)) }
}

/// 1 when a proxy is known, or leaving.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_proxies_knows(proxies: *mut Proxies, key: usize) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { with(proxies, 1, |proxies| i32::from(proxies.knows(key))) }
}

/// A proxy's finaliser runs; `handle` 0: it has none.
///
/// # Safety
/// See the module's text; the handle is live.
#[no_mangle]
pub unsafe extern "C" fn ai_proxies_gone(proxies: *mut Proxies, key: usize, handle: u64) {
    // SAFETY: the caller's promise.
    unsafe { with(proxies, (), |proxies| proxies.gone(key, handle)) };
}

/// A proxy's finaliser began to run before the class was followed.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_proxies_leaving(proxies: *mut Proxies, key: usize) {
    // SAFETY: the caller's promise.
    unsafe { with(proxies, (), |proxies| proxies.leaving(key)) };
}

/// The finaliser of a proxy has run.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_proxies_left(proxies: *mut Proxies, key: usize) {
    // SAFETY: the caller's promise.
    unsafe { with(proxies, (), |proxies| proxies.left(key)) };
}

/// The finaliser of a proxy has run, and the program still has the proxy. Returns its row, 0: none.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_proxies_freed(proxies: *mut Proxies, key: usize, handle: u64) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { with(proxies, 0, |proxies| proxies.freed(key, handle)) }
}

/// A proxy went without its finaliser.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_proxies_lost(proxies: *mut Proxies, key: usize, row: u64) {
    // SAFETY: the caller's promise.
    unsafe { with(proxies, (), |proxies| proxies.lost(key, row)) };
}

/// The row of a proxy, 0: none.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_proxies_row(proxies: *mut Proxies, key: usize) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { with(proxies, 0, |proxies| proxies.row(key)) }
}

/// `ResourceState` of the resource behind a proxy; none without a row.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_proxies_resource(proxies: *mut Proxies, key: usize) -> u8 {
    // SAFETY: the caller's promise.
    unsafe { with(proxies, 0, |proxies| proxies.resource(key) as u8) }
}

/// The state of the resource behind a proxy, `ResourceState`, for all rows of its object; `key` 0:
/// of all proxies. A resource that is closed stays so until it is open again. Returns the proxy's
/// row, 0: none.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_proxies_set_resource(
    proxies: *mut Proxies,
    key: usize,
    state: u8,
) -> u64 {
    // SAFETY: the caller's promise.
    unsafe {
        with(proxies, 0, |proxies| {
            ResourceState::from_number(state).map_or(0, |state| proxies.set_resource(key, state))
        })
    }
}

/// The proxy of a row, 0: none.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_proxies_key(proxies: *mut Proxies, row: u64) -> usize {
    // SAFETY: the caller's promise.
    unsafe { with(proxies, 0, |proxies| proxies.key(row)) }
}

/// Follows the class no longer.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_proxies_clear(proxies: *mut Proxies) {
    // SAFETY: the caller's promise.
    unsafe { with(proxies, (), Proxies::clear) };
}
