//! How a close request ended.

use super::deadline::withdraw_if_due;
use super::lives::{key_of, lives, names};
use recorder::runtime::Runtime;
use segment::layout::ResourceState;
use segment::registry::shown;
use segment::status::{Error, Result, Status};

/// How the newest close request of a handle's object ended: `Ok` for closed, `Pending` while it
/// waits or runs.
pub fn close_result(runtime: &Runtime, handle: u64) -> Result<()> {
    withdraw_if_due(runtime, handle);
    let inner = lives().inner.lock();
    let slot = runtime
        .table
        .slot_of(handle)
        .filter(|slot| names(runtime, slot.word0(), handle) && slot.word0().is_live());
    let slot = slot.ok_or_else(|| super::refusal(runtime, handle, 0))?;
    if slot.word0().resource() == ResourceState::Closed as u8 {
        return Ok(());
    }
    let entry = inner.get(&key_of(&slot, handle));
    let entry = entry.ok_or_else(|| {
        Error::new(Status::BadArgument, format!("its type does not close: {}", shown(handle)))
    })?;
    let name = shown(handle);
    match &entry.withdrawn {
        _ if entry.is_pending() => {
            Err(Error::new(Status::Pending, format!("its close is pending: {name}")))
        }
        Some(reason) => Err(Error::new(Status::CloseFailed, format!("{reason}: close of {name}"))),
        None if slot.word0().resource() == ResourceState::CloseFailed as u8 => Err(Error::new(
            Status::CloseFailed,
            format!("its close method failed: close of {name}"),
        )),
        None => {
            Err(Error::new(Status::BadArgument, format!("no close of it was asked for: {name}")))
        }
    }
}
