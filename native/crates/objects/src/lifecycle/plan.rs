//! The order of closes: objects whose resource needs the resource of another object.

use super::lives::type_of;
use super::lives::{key_of, life_of, lives, owner_of, Entry};
use recorder::runtime::Runtime;
use recorder::threads;
use recorder::types;
use segment::layout::ResourceState;
use segment::registry::{generation_of, shown};

/// An object that holds another one and needs its resource.
pub struct Child {
    /// A living handle of it.
    pub handle: u64,
    /// It is not closed yet, so it comes first.
    pub is_open: bool,
    /// `Cursor #5.1`.
    pub name: String,
}

/// The children of a handle's object that a living handle names.
pub fn children(runtime: &Runtime, handle: u64) -> Vec<Child> {
    let inner = lives().inner.lock();
    let slot = runtime
        .table
        .slot_of(handle)
        .filter(|slot| slot.word0().generation() == generation_of(handle));
    let Some(data) = slot.and_then(|slot| inner.get(&slot.address())).map(|entry| entry.data)
    else {
        return Vec::new();
    };
    let mut children: Vec<Child> =
        inner.values().filter_map(|entry| child_of(runtime, entry, data)).collect();
    drop(inner);
    children.sort_by_key(|child| child.handle);
    children
}

fn child_of(runtime: &Runtime, entry: &Entry, parent: u64) -> Option<Child> {
    let life = life_of(runtime, entry).filter(|life| life.parent() == parent)?;
    let is_living =
        |&&handle: &&u64| runtime.table.slot_of(handle).is_some_and(|slot| slot.word0().is_live());
    let &handle = entry.handles.iter().find(is_living)?;
    let name = types::name_of(runtime, type_of(runtime, entry));
    Some(Child {
        handle,
        is_open: life.state() != ResourceState::Closed,
        name: format!("{name} {}", shown(handle)),
    })
}

/// The thread that closes a thread-affine object whose owner has ended, for people; None while its
/// owner lives, or for any other object.
pub fn handover(runtime: &Runtime, handle: u64) -> Option<String> {
    let inner = lives().inner.lock();
    let slot = runtime
        .table
        .slot_of(handle)
        .filter(|slot| slot.word0().generation() == generation_of(handle))?;
    let owner = owner_of(runtime, inner.get(&key_of(&slot, handle))?);
    drop(inner);
    let is_gone = owner != 0 && !threads::is_alive(runtime, owner);
    is_gone.then(|| {
        format!(
            "its owner has ended, so whoever asks closes it: {}",
            threads::name_of(runtime, owner)
        )
    })
}
