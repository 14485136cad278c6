//! Calls for `native/python`: see [`follow`]. Every function here needs the interpreter's
//! lock and keeps it.
//!
//! Objects returned by `…_new` and `…_begin` belong to the caller, which passes each to `…_free`
//! once.

use std::ptr::null_mut;

use super::catch_value;
use super::proxies::layout;
use follow::heap::Types;
use follow::stacks::{self, Code, Walk};
use follow::{transit, Heap, Stacks};

fn whose_of(number: i32) -> Code {
    match number {
        0 => Code::Hidden,
        1 => Code::User,
        _ => Code::Library,
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
