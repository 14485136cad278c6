//! Calls of `native/python` for classes of extensions: see [`follow::classes`],
//! [`follow::search`] and [`follow::naming`]. Every function here needs the interpreter's lock and
//! keeps it, except `ai_search_read`; objects returned by `…_new` belong to the caller, which passes
//! each to `…_free` once.

use std::slice;

use super::follow::{free, with};
use super::{catch_value, text};
use follow::classes::{self, Slots};
use follow::instances::{self, Late};
use follow::search::Wanted;
use follow::stacks::Code;
use follow::{Instances, Naming, Search, Stacks};
use segment::layout::Kind;

/// 1: the class has an entry, which is written to `slots`.
///
/// # Safety
/// See the module's text; `slots` is a place for an entry.
#[no_mangle]
pub unsafe extern "C" fn ai_classes_get(class: usize, slots: *mut Slots) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        let Some(found) = classes::get(class) else { return 0 };
        *slots = found;
    }
    1
}

/// Makes or replaces the entry of a class.
///
/// # Safety
/// See the module's text; `slots` is an entry.
#[no_mangle]
pub unsafe extern "C" fn ai_classes_set(class: usize, slots: *const Slots) {
    // SAFETY: the caller's promise.
    catch_value((), || unsafe { classes::set(class, *slots) });
}

/// Takes the entry of a class away. The rows that it had, 0: none.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_classes_forget(class: usize) -> usize {
    // SAFETY: the caller's promise.
    catch_value(0, || unsafe { classes::forget(class) })
}

/// An object's destructor runs: the row of an instance that no weak reference watches ends. 1: the
/// object lives on.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_instances_end(object: usize) -> i32 {
    // SAFETY: the caller's promise.
    catch_value(0, || i32::from(unsafe { instances::ends(object) }))
}

/// Lists an instance without a row; 1: it was not listed.
///
/// # Safety
/// See the module's text; the instance lives.
#[no_mangle]
pub unsafe extern "C" fn ai_instances_hide(instances: *mut Instances, key: usize) -> i32 {
    // SAFETY: the caller's promise.
    i32::from(unsafe { with(instances, false, |instances| instances.hide(key)) })
}

/// Describes the type of the rows of a class of an extension, which is made with the first of
/// them. `is_pyo3` is 0 for an extension that is not PyO3's.
///
/// # Safety
/// See the module's text; the texts are as long as is said.
#[no_mangle]
pub unsafe extern "C" fn ai_instances_describe(
    instances: *mut Instances,
    name: *const u8,
    name_length: usize,
    origin: *const u8,
    origin_length: usize,
    is_pyo3: i32,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let (Ok(name), Ok(origin)) = (text(name, name_length), text(origin, origin_length)) else {
            return;
        };
        let kind = if is_pyo3 == 0 { Kind::Extension } else { Kind::Pyo3 };
        let late = Late { name: name.to_owned(), origin: origin.to_owned(), kind };
        with(instances, (), |instances| instances.describe(late));
    }
}

/// A search for instances of `count` classes.
///
/// # Safety
/// See the module's text; `wanted` points to so many.
#[no_mangle]
pub unsafe extern "C" fn ai_search_new(wanted: *const Wanted, count: usize) -> *mut Search {
    // SAFETY: the caller's promise.
    let wanted = if count == 0 { &[] } else { unsafe { slice::from_raw_parts(wanted, count) } };
    Box::into_raw(Box::new(Search::new(wanted)))
}

/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_search_free(search: *mut Search) {
    // SAFETY: the caller's promise.
    unsafe { free(search) };
}

/// Reads some more memory; 0: all was read. Needs no lock, but no other call for the search may run
/// meanwhile.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_search_read(search: *mut Search) -> i32 {
    // SAFETY: the caller's promise.
    i32::from(unsafe { with(search, false, Search::read) })
}

/// Whether the system has let the search read nothing so far: 1 or 0.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_search_is_blind(search: *mut Search) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { with(search, 1, |search| i32::from(search.is_blind())) }
}

/// Places that were noted and not judged.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_search_waiting(search: *mut Search) -> usize {
    // SAFETY: the caller's promise.
    unsafe { with(search, 0, |search| search.waiting()) }
}

/// Judges up to `room` places: writes the living objects among them and returns their number.
///
/// # Safety
/// See the module's text; `objects` points to `room` places.
#[no_mangle]
pub unsafe extern "C" fn ai_search_judge(
    search: *mut Search,
    objects: *mut u64,
    room: usize,
) -> usize {
    // SAFETY: the caller's promise.
    unsafe {
        let found = with(search, Vec::new(), |search| search.judge(room));
        for (at, &(object, _)) in found.iter().enumerate() {
            *objects.add(at) = object;
        }
        found.len()
    }
}

/// Which texts tell whose code is whose, none yet.
#[no_mangle]
pub extern "C" fn ai_naming_new() -> *mut Naming {
    Box::into_raw(Box::default())
}

/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_naming_free(naming: *mut Naming) {
    // SAFETY: the caller's promise.
    unsafe { free(naming) };
}

/// One more text: of the tool's modules (0), installers' folders (1), standard libraries (2), the
/// followed packages (3), the tool's rooms (4).
///
/// # Safety
/// See the module's text; the text is as long as is said.
#[no_mangle]
pub unsafe extern "C" fn ai_naming_add(
    naming: *mut Naming,
    list: i32,
    part: *const u8,
    length: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let Ok(part) = text(part, length) else { return };
        with(naming, (), |naming| {
            let list = match list {
                0 => &mut naming.own_modules,
                1 => &mut naming.installed,
                2 => &mut naming.standard,
                3 => &mut naming.packages,
                _ => &mut naming.own_rooms,
            };
            list.push(part.to_owned());
        });
    }
}

/// The owner of code of a module and file, as `ai_stacks_set_code` takes it.
///
/// # Safety
/// See the module's text; the texts are as long as is said.
#[no_mangle]
pub unsafe extern "C" fn ai_naming_whose(
    naming: *mut Naming,
    module: *const u8,
    module_length: usize,
    file: *const u8,
    file_length: usize,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        let (Ok(module), Ok(file)) = (text(module, module_length), text(file, file_length)) else {
            return number_of(Code::User);
        };
        with(naming, number_of(Code::User), |naming| number_of(naming.whose(module, file)))
    }
}

/// The owner of a code object, -1: no caller has said.
///
/// # Safety
/// See the module's text.
#[no_mangle]
pub unsafe extern "C" fn ai_stacks_code(stacks: *mut Stacks, code: usize) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { with(stacks, -1, |stacks| stacks.code(code).map_or(-1, number_of)) }
}

fn number_of(whose: Code) -> i32 {
    match whose {
        Code::Hidden => 0,
        Code::User => 1,
        Code::Library => 2,
    }
}
