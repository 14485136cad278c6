//! Calls of `native/python` for instances of declared classes: see [`follow::instances`]. As
//! in [`super::follow`], every function here needs the interpreter's lock and keeps it; objects
//! returned by `…_new` belong to the caller, which passes each to `…_free` once.

use super::catch_value;
use super::follow::{free, with};
use follow::instances::{self, Answer, Newborn, Owners};
use follow::{under_way, Instances};
use recorder::rows;
use recorder::runtime::existing;
use recorder::threads::local;

/// The rows of a declaration, none yet; `closes`: it names a method that does. `ask` answers
/// whether an instance whose end has begun was closed:
/// `(whom, instance, 1: a weak reference tells of the end)`.
///
/// # Safety
/// See the module's text; `ask` and `whom` serve until `ai_instances_free`.
#[no_mangle]
pub unsafe extern "C" fn ai_instances_new(
    type_id: u16,
    closes: i32,
    ask: unsafe extern "C" fn(usize, usize, i32) -> i32,
    whom: usize,
) -> *mut Instances {
    // SAFETY: the caller's promise.
    Box::into_raw(Box::new(unsafe { Instances::new(type_id, closes != 0, ask, whom) }))
}

/// # Safety
/// See the module's text; no instance is listed any more.
#[no_mangle]
pub unsafe extern "C" fn ai_instances_free(instances: *mut Instances) {
    // SAFETY: the caller's promise.
    unsafe {
        if let Some(instances) = instances.as_ref() {
            instances.ask_nobody();
        }
        free(instances);
    }
}

/// The level in force for its rows, 0 when it is not followed any more.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_instances_level(instances: *mut Instances) -> u8 {
    // SAFETY: the caller's promise.
    unsafe { with(instances, 0, |instances| instances.level()) }
}

/// 1 when an instance is listed with this declaration; `row` becomes its row, 0: it found no room.
///
/// # Safety
/// See the module's text; `row` points to a place for a row.
#[no_mangle]
pub unsafe extern "C" fn ai_instances_row(
    instances: *mut Instances,
    key: usize,
    row: *mut u64,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        let found = with(instances, None, |instances| instances.row(key));
        *row = found.unwrap_or(0);
        i32::from(found.is_some())
    }
}

/// The weak reference that sees the end of an instance, 0: there is none.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_instances_reference(instances: *mut Instances, key: usize) -> usize {
    // SAFETY: the caller's promise.
    unsafe { with(instances, 0, |instances| instances.reference(key)) }
}

/// A row for an instance; 1: it has one now, and `reference` is kept, 0: it is listed already, or
/// not followed. `site` -1: the instance is older than the recording.
///
/// # Safety
/// See the module's text; the instance lives, and its end will be reported by `reference`, or if
/// that is 0 by its type's destructor.
#[no_mangle]
pub unsafe extern "C" fn ai_instances_add(
    instances: *mut Instances,
    key: usize,
    address: u64,
    handle: u64,
    site: i64,
    reference: usize,
) -> i32 {
    let born = Newborn { key, address, handle, site: u32::try_from(site).ok(), reference };
    // SAFETY: the caller's promise.
    i32::from(unsafe { with(instances, false, |instances| instances.add(&born)) })
}

/// A method that closes the resource of a row begins on this thread, called from `site`. 1: the
/// resource was open, and is closing until `ai_row_close_ends` or the row's end.
#[no_mangle]
pub extern "C" fn ai_row_close_begins(row: u64, site: u32) -> i32 {
    catch_value(0, || {
        let Some(runtime) = existing() else { return 0 };
        let before = local(|local| local.site.replace(site));
        // a row that has ended has no resource
        let is_begun = rows::close_begins(runtime, row).unwrap_or(false);
        local(|local| local.site.set(before));
        i32::from(is_begun)
    })
}

/// A method that closes the resource of a row was found running, called from `site`; its thread and
/// the time of its start are unknown. 1: the resource was open, and is closing until
/// `ai_row_close_ends` or the row's end.
#[no_mangle]
pub extern "C" fn ai_row_close_under_way(row: u64, site: u32) -> i32 {
    catch_value(0, || {
        // a row that has ended has no resource
        existing().map_or(0, |runtime| {
            i32::from(rows::close_is_under_way(runtime, row, site).unwrap_or(false))
        })
    })
}

/// The method has ended that closes the resource of this row. The resource is open again, unless
/// its state was changed meanwhile.
#[no_mangle]
pub extern "C" fn ai_row_close_ends(row: u64) {
    catch_value((), || {
        if let Some(runtime) = existing() {
            // a row that has ended is closed
            let _ = rows::close_ends(runtime, row);
        }
    });
}

/// An initialiser of an instance begins (`is_begun` 1), or has ended: no look adopts the instance
/// meanwhile.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_instance_under_way(key: usize, is_begun: i32) {
    // SAFETY: the caller's promise.
    catch_value((), || unsafe {
        if is_begun != 0 {
            under_way::begin(key)
        } else {
            under_way::end(key)
        }
    });
}

/// 1 while an initialiser of an instance runs.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_instance_is_under_way(key: usize) -> i32 {
    // SAFETY: the caller's promise.
    catch_value(0, || i32::from(unsafe { under_way::is_begun(key) }))
}

/// An instance gave its handle back. Its weak reference, which is the caller's now.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_instances_release(instances: *mut Instances, key: usize) -> usize {
    // SAFETY: the caller's promise.
    unsafe { with(instances, 0, |instances| instances.release(key)) }
}

/// An instance is not looked after any more. Its weak reference, which is the caller's now.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_instances_let_go(instances: *mut Instances, key: usize) -> usize {
    // SAFETY: the caller's promise.
    unsafe { with(instances, 0, |instances| instances.let_go(key)) }
}

/// The instances of a declaration: returns their number, and writes as many as fit.
///
/// # Safety
/// See the module's text; `keys` points to `room` places.
#[no_mangle]
pub unsafe extern "C" fn ai_instances_keys(
    instances: *mut Instances,
    keys: *mut usize,
    room: usize,
) -> usize {
    // SAFETY: the caller's promise.
    unsafe {
        let found = with(instances, Vec::new(), |instances| instances.keys());
        if room > 0 {
            std::ptr::copy_nonoverlapping(found.as_ptr(), keys, found.len().min(room));
        }
        found.len()
    }
}

/// The instance of a row, 0: there is none.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_instances_key(instances: *mut Instances, row: u64) -> usize {
    // SAFETY: the caller's promise.
    unsafe { with(instances, 0, |instances| instances.key(row)) }
}

/// Stops following the class: its rows disappear without a trace. The caller releases the instances
/// singly.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_instances_clear(instances: *mut Instances) {
    // SAFETY: the caller's promise.
    unsafe { with(instances, (), Instances::clear) };
}

/// A weak reference reports the end of its instance. 1: the instance was listed, and the reference
/// is the caller's now.
///
/// # Safety
/// See the module's text; the instance's memory is not given back yet.
#[no_mangle]
pub unsafe extern "C" fn ai_instances_gone(reference: usize) -> i32 {
    // SAFETY: the caller's promise.
    catch_value(0, || i32::from(unsafe { instances::gone(reference) }))
}

/// It was not closed.
pub const END_OPEN: i32 = 0;
/// It was closed.
pub const END_CLOSED: i32 = 1;
/// It cannot be asked.
pub const END_UNKNOWN: i32 = 2;
/// Another holder took a reference meanwhile.
pub const END_LIVES_ON: i32 = 3;
const _: () = assert!(END_OPEN == Answer::Open as i32 && END_CLOSED == Answer::Closed as i32);
const _: () =
    assert!(END_UNKNOWN == Answer::Unknown as i32 && END_LIVES_ON == Answer::LivesOn as i32);

/// Whether there is nothing to do for an instance that was made or may have changed: nothing is
/// recorded, and none is listed.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_instances_rest() -> i32 {
    // SAFETY: the caller's promise.
    i32::from(recorder::levels::hottest() == 0 && unsafe { instances::count() } == 0)
}

/// Which declaration a class has, none yet.
#[no_mangle]
pub extern "C" fn ai_owners_new() -> *mut Owners {
    Box::into_raw(Box::default())
}

/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_owners_free(owners: *mut Owners) {
    // SAFETY: the caller's promise.
    unsafe { free(owners) };
}

/// The instances of a class belong to this owner, unless they have an owner already.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_owners_set(owners: *mut Owners, class: usize, owner: usize) {
    // SAFETY: the caller's promise.
    unsafe { with(owners, (), |owners| owners.set(class, owner)) };
}

/// The owner of a class's instances, 0: none.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_owners_get(owners: *mut Owners, class: usize) -> usize {
    // SAFETY: the caller's promise.
    unsafe { with(owners, 0, |owners| owners.get(class)) }
}

/// No class has an owner any more.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_owners_clear(owners: *mut Owners) {
    // SAFETY: the caller's promise.
    unsafe { with(owners, (), Owners::clear) };
}
