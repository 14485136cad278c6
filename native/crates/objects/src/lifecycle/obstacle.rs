//! The obstacles before a close: calls in flight, or an owner thread that lives.

use super::lives::{owner_of, Entry};
use recorder::runtime::Runtime;
use recorder::threads::{self, pins_of};
use segment::layout::ResourceState;
use segment::registry::generation_of;

/// The obstacle between a request and its close.
pub enum Obstacle {
    /// So many calls in flight.
    Calls(usize),
    /// The thread that alone may close it.
    Owner(u16),
}

impl Obstacle {
    /// The state that the rows show meanwhile.
    pub fn state(&self) -> ResourceState {
        match self {
            Self::Calls(_) => ResourceState::Draining,
            Self::Owner(_) => ResourceState::WaitingOwner,
        }
    }

    /// The object or thread that the request waited for in vain.
    pub fn waited(&self, runtime: &Runtime) -> String {
        match self {
            Self::Calls(1) => "waited for 1 call in flight".to_owned(),
            Self::Calls(calls) => format!("waited for {calls} calls in flight"),
            Self::Owner(owner) => {
                format!("waited for its owner, {}", threads::name_of(runtime, *owner))
            }
        }
    }

    /// The reason for the wait.
    pub fn reason(&self, runtime: &Runtime) -> String {
        match self {
            Self::Calls(1) => "waits for 1 call in flight".to_owned(),
            Self::Calls(calls) => format!("waits for {calls} calls in flight"),
            Self::Owner(owner) => format!(
                "only its owner may close it: waits for {}",
                threads::name_of(runtime, *owner)
            ),
        }
    }
}

/// The obstacle before a close; None: there is none. The rows show `CloseRequested` or later, so no
/// new call begins, and each call that ends looks here again once the lock is free.
pub fn obstacle(runtime: &Runtime, address: u64, entry: &Entry) -> Option<Obstacle> {
    let calls = entry.callers.len() + calls_in_flight(runtime, address);
    if calls > 0 {
        return Some(Obstacle::Calls(calls));
    }
    let owner = owner_of(runtime, entry);
    (threads::is_alive(runtime, owner) && threads::here() != owner)
        .then_some(Obstacle::Owner(owner))
}

fn calls_in_flight(runtime: &Runtime, address: u64) -> usize {
    let mut calls = 0;
    pins_of(runtime, |_, handle| {
        let slot = runtime
            .table
            .slot_of(handle)
            .filter(|slot| slot.word0().generation() == generation_of(handle));
        calls += usize::from(slot.is_some_and(|slot| slot.address() == address));
    });
    calls
}
