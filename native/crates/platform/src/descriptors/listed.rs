//! The agent's descriptors in the program's table, listed without a lock so that a forked child can
//! close its copies.
//!
//! A child that kept them would keep connections open that its parent has ended, and viewers would
//! wait for a process that never heard of them.

use std::os::fd::RawFd;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering};

use super::tables::stat_of;
use super::Identity;
use crate::sockets;

/// Room for the listener, the waker and all connections, including closed connections with running
/// requests.
const PLACES: usize = 32;
/// A free place.
const EMPTY: RawFd = -1;

struct Place {
    number: AtomicI32,
    device: AtomicU64,
    inode: AtomicU64,
    kind: AtomicU32,
}

static OPEN: [Place; PLACES] = [const {
    Place {
        number: AtomicI32::new(EMPTY),
        device: AtomicU64::new(0),
        inode: AtomicU64::new(0),
        kind: AtomicU32::new(0),
    }
}; PLACES];

/// A descriptor that is in the list while this value lives.
pub struct Listed {
    place: Option<&'static Place>,
}

impl Listed {
    /// List a descriptor. Without a free place it is not listed, and a forked child keeps a copy.
    pub fn new(number: RawFd, identity: Identity) -> Self {
        // Relaxed throughout: a child sees its own copy of memory as it was at the fork. A child
        // that sees the number before the identity compares with an older identity and leaves its
        // copy open.
        let place = OPEN.iter().find(|place| {
            place
                .number
                .compare_exchange(EMPTY, number, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
        });
        if let Some(place) = place {
            place.device.store(identity.device, Ordering::Relaxed);
            place.inode.store(identity.inode, Ordering::Relaxed);
            place.kind.store(identity.kind, Ordering::Relaxed);
        }
        Self { place }
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            place.number.store(EMPTY, Ordering::Relaxed);
        }
    }
}

impl Place {
    fn identity(&self) -> Identity {
        Identity {
            device: self.device.load(Ordering::Relaxed),
            inode: self.inode.load(Ordering::Relaxed),
            kind: self.kind.load(Ordering::Relaxed),
        }
    }
}

/// Close all listed descriptors that are still the agent's, in a forked child.
///
/// # Safety
/// This is a forked child in which the threads that used them do not exist, and their owners are
/// never dropped.
pub unsafe fn close_all_in_child() {
    for place in &OPEN {
        let number = place.number.swap(EMPTY, Ordering::Relaxed);
        let is_ours = number != EMPTY
            && stat_of(number).is_ok_and(|found| Identity::of(&found) == place.identity());
        if is_ours {
            // SAFETY: the caller's promise.
            unsafe { sockets::close_inherited(number) };
        }
    }
}
