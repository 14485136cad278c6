//! Messages for people about a handle that was refused.

use std::sync::atomic::{AtomicU64, Ordering};

use recorder::runtime::Runtime;
use recorder::threads;
use recorder::types;
use segment::atomic;
use segment::clock;
use segment::layout::{ReferenceState, ResourceState, FOREIGN_BIT};
use segment::registry::{generation_of, shown, Slot};
use segment::status::{Error, Status};

/// Why `handle` cannot be used as a handle of type `wanted` (0: of any type).
#[cold]
pub fn refusal(runtime: &Runtime, handle: u64, wanted: u16) -> Error {
    if handle == 0 {
        return Error::new(Status::ZeroHandle, "the handle is 0, which names nothing");
    }
    let Some(slot) = runtime.table.slot_of(handle) else { return unknown(handle) };
    let word = slot.word0();
    if generation_of(handle) == 0 || word.generation() < generation_of(handle) {
        return unknown(handle);
    }
    // the type is the newest handle's, so it says nothing about the bit of an older handle
    if word.generation() > generation_of(handle) {
        return Error::new(
            Status::StaleHandle,
            format!("{} was released, and its row has been used again since", shown(handle)),
        );
    }
    if handle & FOREIGN_BIT != 0 && runtime.types.is_own(word.type_id()) {
        return unknown(handle);
    }
    if !word.is_live() {
        return Error::new(Status::StaleHandle, tombstone(runtime, handle, &slot));
    }
    if wanted != 0 && word.type_id() != wanted {
        let (found, wanted) =
            (types::name_of(runtime, word.type_id()), types::name_of(runtime, wanted));
        return Error::new(
            Status::WrongType,
            format!("{} is a {found}, not a {wanted}", shown(handle)),
        );
    }
    if !runtime.types.is_own(word.type_id()) && wanted == 0 {
        let found = types::name_of(runtime, word.type_id());
        return Error::new(
            Status::WrongType,
            format!("{} is a {found}, which another library owns", shown(handle)),
        );
    }
    closed(runtime, handle, &slot)
}

fn unknown(handle: u64) -> Error {
    Error::new(Status::UnknownHandle, format!("{} was never a handle", shown(handle)))
}

fn closed(runtime: &Runtime, handle: u64, slot: &Slot<'_>) -> Error {
    let word = slot.word0();
    if word.resource() == ResourceState::Poisoned as u8 {
        return poisoned(runtime, handle, slot);
    }
    let is_closed = word.resource() == ResourceState::Closed as u8;
    let (what, thread) = if is_closed {
        ("was closed by", slot.last_thread())
    } else {
        ("was asked to close by", slot.requester())
    };
    let (name, who) = (types::name_of(runtime, word.type_id()), threads::name_of(runtime, thread));
    let when = age(runtime, slot.changed_at());
    Error::new(Status::Closed, format!("{} ({name}) {what} {who}{when}", shown(handle)))
}

fn poisoned(runtime: &Runtime, handle: u64, slot: &Slot<'_>) -> Error {
    let (name, who) = (
        types::name_of(runtime, slot.word0().type_id()),
        threads::name_of(runtime, slot.last_thread()),
    );
    let when = age(runtime, slot.changed_at());
    let what =
        format!("a call of {who} panicked inside the object{when}, which may be half changed");
    Error::new(Status::Poisoned, format!("{} ({name}) is poisoned: {what}", shown(handle)))
}

/// The description of a dead handle: `#88.1 (Journal) was released by thread "worker-3" 2.1 s ago`.
pub fn tombstone(runtime: &Runtime, handle: u64, slot: &Slot<'_>) -> String {
    let word = slot.word0();
    let what = if word.reference() == ReferenceState::ReleaseRequested as u8 {
        "is being released by"
    } else {
        "was released by"
    };
    let (name, who) =
        (types::name_of(runtime, word.type_id()), threads::name_of(runtime, slot.last_thread()));
    format!("{} ({name}) {what} {who}{}", shown(handle), age(runtime, slot.changed_at()))
}

/// How long ago that was, with a space before it; empty when it was not recorded.
pub fn age(runtime: &Runtime, ticks: u64) -> String {
    if ticks == 0 {
        return String::new();
    }
    let secs = clock::ticks().saturating_sub(ticks) as f64 / rate(runtime) as f64;
    format!(" {secs:.1} s ago")
}

/// Ticks a second, at least 1.
pub(super) fn rate(runtime: &Runtime) -> u64 {
    let rate = match atomic!(AtomicU64, runtime.segment().header(), ticks_per_sec)
        .load(Ordering::Relaxed)
    {
        0 => runtime.anchor.rate(),
        rate => rate,
    };
    rate.max(1)
}
