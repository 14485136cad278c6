//! The rows of handles: a row from the return of the function that gave the handle to the host until
//! the host releases it.

use follow::layout::Layout;
use recorder::events;
use recorder::levels;
use recorder::rows::{self, NewRow};
use recorder::runtime::{existing, runtime, Runtime};
use recorder::stacks;
use recorder::threads::local;
use recorder::types::{self, Described};
use segment::layout::{EventKind, Kind, Level, ReferenceState, EVENT_COUNT_UNKNOWN};

use crate::classes::Class;
use crate::holding;
use crate::stubs;

/// The host has got a handle. `is_born_now`: by a function that returned just now; otherwise the
/// handle is met for the first time, and nothing is known of its birth.
pub fn born(class: &'static Class, handle: u64, is_born_now: bool) {
    if levels::hottest() == Level::Off as u8 || !class.is_of_rust(handle) {
        return;
    }
    let runtime = runtime();
    let must_place = class.calibrate(handle);
    let Some(type_id) = class.type_id(runtime) else { return };
    let layout = class.layout();
    let row = NewRow {
        type_id,
        address: layout.address(handle),
        data: handle,
        owner: 0,
        is_foreign: false,
        is_born_now,
    };
    let strong = if is_born_now { layout.strong(handle) } else { EVENT_COUNT_UNKNOWN };
    // a row without room is counted
    let Ok(made) =
        at_site(runtime, type_id, is_born_now, || rows::add_counted(runtime, &row, strong))
    else {
        return;
    };
    holding::add(handle, made);
    if must_place {
        place_earlier(runtime, type_id, layout);
    }
}

/// Runs `body` with the native stack of the caller as the site of its acts, at the level of stacks.
fn at_site<R>(runtime: &Runtime, type_id: u16, is_born_now: bool, body: impl FnOnce() -> R) -> R {
    if !is_born_now || levels::level_of(runtime, type_id) < Level::Stacks as u8 {
        return body();
    }
    let site = stacks::site_of_caller(runtime, stubs::innermost());
    let before = local(|local| local.site.replace(site));
    let result = body();
    local(|local| local.site.set(before));
    result
}

/// Gives an address to the rows that were made before the layout of their class was known.
fn place_earlier(runtime: &Runtime, type_id: u16, layout: Layout) {
    let mut found = Vec::new();
    holding::each(|handle, row| found.push((handle, row)));
    for (handle, row) in found {
        let is_without = runtime
            .table
            .slot_of(row)
            .is_some_and(|slot| slot.word0().type_id() == type_id && slot.address() == 0);
        if is_without {
            // a row that ended meanwhile needs no address
            let _ = rows::set_address(runtime, row, layout.address_read(handle));
        }
    }
}

/// The host clones a handle for a call; a handle without a row came in a way that is not followed.
pub fn cloned(class: &'static Class, handle: u64) {
    if levels::hottest() == Level::Off as u8 {
        return;
    }
    if !holding::knows(handle) {
        born(class, handle, false);
    }
    let (Some(runtime), Some(type_id)) = (existing(), class.known_type()) else { return };
    if levels::has_history(runtime, type_id) && class.is_of_rust(handle) {
        let layout = class.layout();
        let strong = match layout.strong(handle) {
            EVENT_COUNT_UNKNOWN => EVENT_COUNT_UNKNOWN,
            strong => strong.saturating_add(1),
        };
        let address = layout.address(handle);
        events::event(runtime, EventKind::Clone, type_id, 0, address, strong);
    }
}

/// The host is about to release a handle.
pub fn freed(class: &'static Class, handle: u64) {
    let (Some(runtime), Some(row)) = (existing(), holding::take(handle)) else { return };
    let layout = class.layout();
    // a row that a detach cleared has ended
    let _ = rows::end_counted(
        runtime,
        row,
        layout.state_after_release(handle),
        layout.strong_after_release(handle),
    );
}

/// An asynchronous call has begun on an object, 0: on none. Its row, 0: it has none.
pub fn call_began(name: &str, origin: &str, address: u64, future: u64) -> u64 {
    if levels::hottest() == Level::Off as u8 {
        return 0;
    }
    let runtime = runtime();
    let described = Described {
        name,
        origin,
        close_signature: "",
        kind: Kind::UniffiCall as u8,
        closes: false,
        is_thread_affine: false,
        size_bytes: 0,
        data_offset: 0,
    };
    let Ok(type_id) = types::describe(runtime, &described) else { return 0 };
    let row =
        NewRow { type_id, address, data: future, owner: 0, is_foreign: false, is_born_now: true };
    at_site(runtime, type_id, true, || rows::add(runtime, &row)).unwrap_or(0)
}

/// An asynchronous call has ended.
pub fn call_ended(row: u64) {
    if let Some(runtime) = existing().filter(|_| row != 0) {
        // a row that a detach cleared has ended
        let _ = rows::end(runtime, row, ReferenceState::Released);
    }
}

/// Forgets all rows, without a word on their objects.
pub fn clear() {
    let Some(runtime) = existing() else { return };
    let mut cleared = Vec::new();
    for row in holding::clear() {
        let type_id = runtime.table.slot_of(row).map_or(0, |slot| slot.word0().type_id());
        if type_id != 0 && !cleared.contains(&type_id) {
            cleared.push(type_id);
            // a type of ours exists
            let _ = rows::clear(runtime, type_id);
        }
    }
}
