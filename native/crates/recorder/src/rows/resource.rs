//! The resource of an adapter's row: its state, and methods that close it.

use super::{adapters_row, begin_live};
use crate::count_one;
use crate::events;
use crate::levels;
use crate::runtime::Runtime;
use crate::threads::mutate;
use segment::clock;
use segment::layout::{EventKind, ResourceState, EVENT_COUNT_UNKNOWN};
use segment::registry::{Change, Moment, Slot};
use segment::status::Result;

/// Sets the state of a row's resource, which an adapter knows.
pub fn set_resource(runtime: &Runtime, row: u64, state: ResourceState) -> Result<()> {
    share_resource(runtime, row, state)?;
    let type_id = adapters_row(runtime, row)?.word0().type_id();
    if state == ResourceState::Closed && levels::counts(runtime, type_id) {
        count_one!(runtime, type_id, closed);
    }
    Ok(())
}

/// Sets the state of a resource that another row stands for as well, and was counted with.
pub fn share_resource(runtime: &Runtime, row: u64, state: ResourceState) -> Result<()> {
    let slot = adapters_row(runtime, row)?;
    let type_id = slot.word0().type_id();
    let change = events::change(runtime, type_id, state == ResourceState::CloseRequested);
    mutate(|| {
        if let Some(word) = begin_live(&slot, row) {
            slot.note(&change);
            slot.end(word.with(word.reference(), state as u8));
        }
    });
    Ok(())
}

/// A method that closes a row's resource begins on this thread, whose site was set before. Whether
/// the resource was open; then it is closing until [`close_ends`] or the row's end.
pub fn close_begins(runtime: &Runtime, row: u64) -> Result<bool> {
    let slot = adapters_row(runtime, row)?;
    let (type_id, address) = (slot.word0().type_id(), slot.address());
    let change = events::change(runtime, type_id, true);
    let is_begun = begin_closing(&slot, row, &change);
    if is_begun {
        events::event(runtime, EventKind::CloseRequest, type_id, row, address, EVENT_COUNT_UNKNOWN);
    }
    Ok(is_begun)
}

/// A method that closes a row's resource was found running, called from `site` at a time and on a
/// thread that nobody recorded. Whether the resource was open; then it is closing as after
/// [`close_begins`]. No event tells it: its time is unknown.
pub fn close_is_under_way(runtime: &Runtime, row: u64, site: u32) -> Result<bool> {
    let slot = adapters_row(runtime, row)?;
    let change = Change { moment: Moment::new(0, 0, site), is_request: true };
    Ok(begin_closing(&slot, row, &change))
}

/// A close was found waiting, in `state`, that somebody asked for on a thread that nobody recorded.
/// `site` is what it waits for; `is_new`: it was asked for since the last look, so about now.
pub fn close_waits(
    runtime: &Runtime,
    row: u64,
    state: ResourceState,
    site: u32,
    is_new: bool,
) -> Result<()> {
    let slot = adapters_row(runtime, row)?;
    let at_ticks = if is_new { clock::ticks() } else { 0 };
    let change = Change { moment: Moment::new(at_ticks, 0, site), is_request: true };
    mutate(|| {
        if let Some(word) = begin_live(&slot, row) {
            slot.note(&change);
            slot.end(word.with(word.reference(), state as u8));
        }
    });
    Ok(())
}

/// Makes an open resource closing; whether it was open.
fn begin_closing(slot: &Slot, row: u64, change: &Change) -> bool {
    mutate(|| {
        let Some(word) = begin_live(slot, row) else { return false };
        let is_open = word.resource() == ResourceState::Open as u8;
        if is_open {
            slot.note(change);
        }
        slot.end(if is_open {
            word.with(word.reference(), ResourceState::Closing as u8)
        } else {
            word
        });
        is_open
    })
}

/// The method that closes a row's resource has ended, and the resource is as open as before.
pub fn close_ends(runtime: &Runtime, row: u64) -> Result<()> {
    let slot = adapters_row(runtime, row)?;
    mutate(|| {
        if let Some(word) = begin_live(&slot, row) {
            let is_closing = word.resource() == ResourceState::Closing as u8;
            slot.end(if is_closing {
                word.with(word.reference(), ResourceState::Open as u8)
            } else {
                word
            });
        }
    });
    Ok(())
}

/// The address of an adapter's live row and the state of its resource; `None`: it has ended.
pub fn resource_of(runtime: &Runtime, row: u64) -> Option<(u64, u8)> {
    let slot = adapters_row(runtime, row).ok()?;
    Some((slot.address(), slot.word0().resource()))
}
