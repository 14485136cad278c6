//! The state that an object keeps itself, so that it is known even while no handle names it.

use std::sync::atomic::{AtomicU64, AtomicU8, Ordering};

use super::spec::{index_of, TypeSpec};
use recorder::count_one;
use recorder::events;
use recorder::levels;
use recorder::runtime::{existing, Runtime};
use recorder::threads;
use segment::layout::{EventKind, Kind, Level, ResourceState};

/// A field of every object of the runtime: the state of its resource and, when it is dropped, the
/// hook of that.
pub struct Life {
    spec: &'static TypeSpec,
    state: AtomicU8,
    /// Thread that alone may close, 0: any.
    owner: u16,
    /// Heap address, set when a handle first names the object.
    address: AtomicU64,
    /// Data pointer of the object that it holds and needs, 0: none.
    parent: AtomicU64,
}

impl Life {
    /// A life that begins now, on this thread, which becomes its owner when the type has owner
    /// threads.
    // a life that is made in memory and then copied costs more than all else about it
    #[inline(always)]
    pub fn new(spec: &'static TypeSpec) -> Self {
        let (state, owner) =
            if spec.close.is_some() { Self::of_resource(spec) } else { (ResourceState::None, 0) };
        Self {
            spec,
            state: AtomicU8::new(state as u8),
            owner,
            address: AtomicU64::new(0),
            parent: AtomicU64::new(0),
        }
    }

    #[inline(never)]
    fn of_resource(spec: &TypeSpec) -> (ResourceState, u16) {
        let owner = if spec.close.is_some_and(|close| close.is_thread_affine) {
            threads::here()
        } else {
            0
        };
        (ResourceState::Open, owner)
    }

    /// The state of the resource. Changes under the lock of `Lives`; Relaxed suffices for holders
    /// of that lock.
    pub fn state(&self) -> ResourceState {
        ResourceState::from_number(self.state.load(Ordering::Relaxed))
            .unwrap_or(ResourceState::None)
    }

    /// Whether its type opted in to closing.
    pub fn closes(&self) -> bool {
        self.spec.close.is_some()
    }

    /// Whether a panic inside a call ends its use.
    pub fn can_be_poisoned(&self) -> bool {
        self.spec.kind == Kind::MutexMap
    }

    /// The object's type.
    pub(crate) fn spec(&self) -> &'static TypeSpec {
        self.spec
    }

    /// Heap address, 0: no handle named it yet.
    pub(crate) fn address(&self) -> u64 {
        self.address.load(Ordering::Relaxed)
    }

    pub(crate) fn set_state(&self, state: ResourceState) {
        self.state.store(state as u8, Ordering::Relaxed);
    }

    /// Thread that alone may close, 0: any.
    pub fn owner(&self) -> u16 {
        self.owner
    }

    /// Remembers the heap address for the event of the drop.
    pub fn set_address(&self, address: u64) {
        self.address.store(address, Ordering::Relaxed);
    }

    /// Says that this object holds the one at data pointer `parent` and needs its resource, so that
    /// it should be closed first.
    pub fn needs(&self, parent: u64) {
        self.parent.store(parent, Ordering::Relaxed);
    }

    /// Data pointer of the object that it needs, 0: none.
    pub fn parent(&self) -> u64 {
        self.parent.load(Ordering::Relaxed)
    }

    fn record_drop(&self, runtime: &Runtime) {
        let Ok(type_id) = index_of(runtime, self.spec) else { return };
        if !levels::counts(runtime, type_id) {
            return;
        }
        count_one!(runtime, type_id, dropped);
        let is_open = matches!(
            self.state(),
            ResourceState::Open | ResourceState::CloseFailed | ResourceState::Poisoned
        );
        if self.closes() && is_open {
            count_one!(runtime, type_id, never_closed);
        }
        events::event(runtime, EventKind::Drop, type_id, 0, self.address(), 0);
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        if levels::hottest() == Level::Off as u8 {
            return;
        }
        if let Some(runtime) = existing() {
            self.record_drop(runtime);
        }
    }
}
