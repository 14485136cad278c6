//! Calls for `native/python`: see [`follow`]. Every function here needs the interpreter's
//! lock and keeps it.
//!
//! Objects returned by `…_new` and `…_begin` belong to the caller, which passes each to `…_free`
//! once.

use std::ptr::null_mut;

use super::catch_value;
use follow::heap::Types;
use follow::proxies::{Born, Layout};
use follow::stacks::{self, Code, Walk};
use follow::{transit, Heap, Proxies, Stacks};
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

fn whose_of(number: i32) -> Code {
    match number {
        0 => Code::Hidden,
        1 => Code::User,
        _ => Code::Library,
    }
}

fn layout(kind: u8, bytes: u64) -> Layout {
    match kind {
        LAYOUT_HIDDEN => Layout::Hidden,
        LAYOUT_BEFORE => Layout::Before(bytes),
        LAYOUT_BOXED => Layout::Inner { counted: false },
        LAYOUT_COUNTED => Layout::Inner { counted: true },
        _ => Layout::Unknown,
    }
}

/// Runs `body` on it; a panic gives `fallback`.
///
/// # Safety
/// `thing` came from its `new` and was not freed; no other code uses it.
pub(super) unsafe fn with<T, R>(thing: *mut T, fallback: R, body: impl FnOnce(&mut T) -> R) -> R {
    // SAFETY: the caller's promise.
    catch_value(fallback, || unsafe { body(&mut *thing) })
}

/// Gives it back.
///
/// # Safety
/// `thing` is NULL, or came from its `new` and was not freed.
pub(super) unsafe fn free<T>(thing: *mut T) {
    if !thing.is_null() {
        // SAFETY: the caller's promise.
        drop(unsafe { Box::from_raw(thing) });
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
    unsafe { with(proxies, 0, |proxies| proxies.address(handle)) }
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

/// Stacks of the running interpreter, CPython 3.`minor`; NULL: its frames are not known.
#[no_mangle]
pub extern "C" fn ai_stacks_new(minor: u32) -> *mut Stacks {
    stacks::layout_of(minor)
        .map_or(null_mut(), |layout| Box::into_raw(Box::new(Stacks::new(layout))))
}

/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_stacks_free(stacks: *mut Stacks) {
    // SAFETY: the caller's promise.
    unsafe { free(stacks) };
}

/// Whose a code object is: 0 the tool's, 1 the program's own, 2 a library's. It outlives the
/// stacks.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_stacks_set_code(stacks: *mut Stacks, code: usize, whose: i32) {
    // SAFETY: the caller's promise.
    unsafe { with(stacks, (), |stacks| stacks.set_code(code, whose_of(whose))) };
}

/// The site of the stack that `ai_stacks_walk` found unknown just now.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_stacks_set_site(stacks: *mut Stacks, count: usize, site: u32) {
    // SAFETY: the caller's promise.
    unsafe { with(stacks, (), |stacks| stacks.set_site(count, site)) };
}

/// The stack of the calling thread, `limit` frames at most. 0: `first` is its site; 1: `first` is a
/// code object that is not known, `second` its globals; 2: a stack of `first` frames that is not
/// known.
///
/// # Safety
/// See the module's text; `state` is the calling thread's state, `first` and `second` are places
/// for numbers.
#[no_mangle]
pub unsafe extern "C" fn ai_stacks_walk(
    stacks: *mut Stacks,
    state: usize,
    limit: usize,
    first: *mut usize,
    second: *mut usize,
) -> i32 {
    // SAFETY: the caller's promise.
    let walk = unsafe { with(stacks, Walk::Site(0), |stacks| stacks.walk(state, limit)) };
    let (answer, one, two) = match walk {
        Walk::Site(site) => (0, site as usize, 0),
        Walk::Code(code, globals) => (1, code, globals),
        Walk::Stack(count) => (2, count, 0),
    };
    // SAFETY: the caller's promise.
    unsafe { (*first, *second) = (one, two) };
    answer
}

/// The code objects of the calling thread's frames as the layout of CPython 3.`minor` has them,
/// innermost first: returns their number, and writes as many as fit.
///
/// # Safety
/// `state` is the calling thread's state in an interpreter of that version; `codes` points to
/// `room` places.
#[no_mangle]
pub unsafe extern "C" fn ai_stacks_codes(
    minor: u32,
    state: usize,
    codes: *mut usize,
    room: usize,
) -> usize {
    // SAFETY: the caller's promise.
    stacks::layout_of(minor).map_or(0, |layout| unsafe {
        stacks::codes(layout, state, std::slice::from_raw_parts_mut(codes, room))
    })
}

/// Types to look for, none yet.
#[no_mangle]
pub extern "C" fn ai_types_new() -> *mut Types {
    Box::into_raw(Box::default())
}

/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_types_free(types: *mut Types) {
    // SAFETY: the caller's promise.
    unsafe { free(types) };
}

/// One more type.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_types_add(types: *mut Types, class: usize) {
    // SAFETY: the caller's promise.
    unsafe { with(types, (), |types| types.add(class)) };
}

/// A walk through the heap; NULL: it is not built as expected.
///
/// # Safety
/// As for `Heap::begin`.
#[no_mangle]
pub unsafe extern "C" fn ai_heap_begin(marker: usize, marker_type: usize) -> *mut Heap {
    // SAFETY: the caller's promise.
    unsafe { Heap::begin(marker, marker_type) }
        .map_or(null_mut(), |heap| Box::into_raw(Box::new(heap)))
}

/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_heap_free(heap: *mut Heap) {
    // SAFETY: the caller's promise.
    unsafe { free(heap) };
}

/// One slice: looks at `most` objects, or fewer when `room` were found. Returns how many were;
/// `more` becomes 0 at the end.
///
/// # Safety
/// See the module's text; the marker is alive, `found` points to `room` places, `more` to a place.
#[no_mangle]
pub unsafe extern "C" fn ai_heap_step(
    heap: *mut Heap,
    types: *mut Types,
    most: usize,
    found: *mut usize,
    room: usize,
    more: *mut i32,
) -> usize {
    let mut seen = Vec::with_capacity(room);
    // SAFETY: the caller's promise.
    unsafe {
        let goes_on = with(heap, false, |heap| heap.step(&*types, most, room, &mut seen));
        *more = i32::from(goes_on);
        std::ptr::copy_nonoverlapping(seen.as_ptr(), found, seen.len().min(room));
    }
    seen.len().min(room)
}

/// The address of a stand-in for a library's clone function; 0: there is none left.
#[no_mangle]
pub extern "C" fn ai_transit_stand_in(
    original: usize,
    type_id: u16,
    kind: u8,
    bytes: u64,
) -> usize {
    catch_value(0, || transit::stand_in(original, type_id, layout(kind, bytes)))
}
