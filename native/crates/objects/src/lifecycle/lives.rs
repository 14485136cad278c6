//! The table of the objects that can be closed, and the shared parts of all code that changes it.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::thread::Thread;
use std::time::Instant;

use super::waiting;
use crate::object::{spec_of, Life};
use recorder::fork::{Rank, Section};
use recorder::rows;
use recorder::runtime::Runtime;
use recorder::threads::{self, mutate};
use segment::layout::{ResourceState, FOREIGN_BIT};
use segment::registry::{generation_of, Change, Slot, Word0};
use segment::status::Result;
use segment::sync::Lock;

/// The code of a close: the type's close method with the caller's arguments. It gets the data
/// pointer of a living object.
pub type Run = Box<dyn FnOnce(u64) -> Result<()> + Send>;

/// The waiting thread, while it exists.
pub type Keeper = Lock<Option<Thread>>;

/// When a request is withdrawn.
#[derive(Clone, Copy)]
pub(super) struct Deadline {
    pub at: Instant,
    pub at_ticks: u64,
    /// Index in the header's list of deadlines, None: the list is full.
    pub place: Option<usize>,
}

/// Objects by key.
pub(super) type ByKey = HashMap<u64, Entry, BuildHasherDefault<DefaultHasher>>;

/// Objects of closing types, as long as a handle names them: native objects by heap address,
/// foreign objects by the number of their handle.
pub struct Lives {
    pub(super) inner: Lock<ByKey>,
    /// The thread that keeps the deadlines; locked before `inner` when both are locked.
    pub(super) keeper: Keeper,
}

/// The objects of this process that can be closed.
static LIVES: Lives = Lives {
    inner: Lock::new(HashMap::with_hasher(BuildHasherDefault::new())),
    keeper: Lock::new(None),
};

static SECTION: Section =
    Section::new(Rank::Lives, || LIVES.hold(), release, |runtime| LIVES.keep_only_this(runtime));

/// # Safety
/// After `Lives::hold`, by the same thread or its copy in the child.
unsafe fn release() {
    // SAFETY: the caller's promise.
    unsafe { LIVES.let_go() };
}

/// The objects of this process that can be closed. A fork holds their table from the first use on.
#[inline]
pub fn lives() -> &'static Lives {
    SECTION.join();
    &LIVES
}

/// An object that can be closed.
#[derive(Default)]
pub(super) struct Entry {
    /// Its handles: live, or released but kept because a close is pending.
    pub(super) handles: Vec<u64>,
    /// The data pointer all of them hold.
    pub(super) data: u64,
    /// The requested close that no thread runs yet.
    pub(super) request: Option<Run>,
    /// The handle whose proxy is to close it by a method of its own.
    pub(super) proxy: Option<u64>,
    /// When that is withdrawn.
    pub(super) deadline: Option<Deadline>,
    /// The reason why the last request was withdrawn; until the next request.
    pub(super) withdrawn: Option<String>,
    /// Whether a thread runs the close method now.
    pub(super) is_closing: bool,
    /// Threads that are inside a foreign object; calls of native objects are pins.
    pub(super) callers: Vec<u16>,
}

impl Entry {
    pub(super) fn is_pending(&self) -> bool {
        self.request.is_some() || self.is_closing
    }
}

impl Lives {
    /// Holds the table across a fork.
    pub fn hold(&self) {
        self.keeper.hold();
        self.inner.hold();
    }

    /// Lets it go.
    ///
    /// # Safety
    /// Held by `hold` before.
    pub unsafe fn let_go(&self) {
        // SAFETY: the caller's promise.
        unsafe {
            self.inner.let_go();
            self.keeper.let_go();
        }
    }

    /// Enters a new handle, whose row `publish` makes with the resource's present state, so that no
    /// change of it is missed.
    pub fn enter(
        &self,
        life: &Life,
        address: u64,
        data: u64,
        publish: impl FnOnce(ResourceState) -> u64,
    ) -> u64 {
        let mut inner = self.inner.lock();
        let handle = publish(life.state());
        let entry = inner.entry(address).or_default();
        entry.data = data;
        entry.handles.push(handle);
        handle
    }

    /// In a forked child: a close that another thread was running will not end there, and counts as
    /// failed.
    pub fn keep_only_this(&self, runtime: &Runtime) {
        *self.keeper.lock() = None;
        waiting::ask_all();
        let mut inner = self.inner.lock();
        for entry in inner.values_mut().filter(|entry| entry.is_closing) {
            entry.is_closing = false;
            show(runtime, entry, ResourceState::CloseFailed, None);
        }
        inner
            .values_mut()
            .for_each(|entry| entry.callers.retain(|&caller| caller == threads::here()));
    }
}

/// Has every row of an object show another state of its resource. The lock is held.
pub(super) fn show(runtime: &Runtime, entry: &Entry, state: ResourceState, change: Option<Change>) {
    if let Some(life) = life_of(runtime, entry) {
        life.set_state(state);
    }
    for &handle in &entry.handles {
        let Some(slot) = runtime.table.slot_of(handle) else { continue };
        mutate(|| {
            let Some(word) = slot.begin(generation_of(handle)) else { return };
            if let Some(change) = &change {
                slot.note(change);
            }
            slot.end(word.with(word.reference(), state as u8));
        });
    }
}

/// The life within the object of an entry; a foreign object has none.
pub(super) fn life_of<'a>(runtime: &Runtime, entry: &'a Entry) -> Option<&'a Life> {
    let word = runtime.table.slot_of(*entry.handles.first()?)?.word0();
    let spec = spec_of(runtime, word.type_id())?;
    // SAFETY: a handle in the entry owns a reference to the object, and the lock that guards the
    // entry keeps it there.
    Some(unsafe { &*(spec.operations.life)(entry.data) })
}

/// The thread that alone may close an entry's object, 0: any.
pub(super) fn owner_of(runtime: &Runtime, entry: &Entry) -> u16 {
    let slot = entry.handles.first().and_then(|&handle| runtime.table.slot_of(handle));
    slot.map_or(0, |slot| slot.owner())
}

/// Whether word 0 is of the row that a handle names, native or foreign.
pub(super) fn names(runtime: &Runtime, word: Word0, handle: u64) -> bool {
    word.generation() == generation_of(handle)
        && (handle & FOREIGN_BIT != 0) == rows::is_foreign(runtime, word.type_id())
}

/// Key of a handle's object in the table.
pub(super) fn key_of(slot: &Slot<'_>, handle: u64) -> u64 {
    if handle & FOREIGN_BIT == 0 {
        slot.address()
    } else {
        handle
    }
}

/// The type of an entry's object, 0: unknown.
pub(super) fn type_of(runtime: &Runtime, entry: &Entry) -> u16 {
    let slot = entry.handles.first().and_then(|&handle| runtime.table.slot_of(handle));
    slot.map_or(0, |slot| slot.word0().type_id())
}

impl Entry {
    /// Whether its request is to be withdrawn.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.request.is_some() && self.deadline.is_some_and(|deadline| deadline.at <= now)
    }
}
