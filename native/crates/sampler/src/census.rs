//! The handles that there are, by object: two looks at the table with the reading of counts between
//! them.
//!
//! A count and the number of handles are of one moment when the object's handles were the same
//! before and after the count was read. No list of handles by object is kept for that, so births
//! and deaths cost the target nothing; each look reads word 0 of every row.

use std::cmp::Ordering as Order;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Sampled;
use segment::layout::{word, Kind, ReferenceState, BUSY};

/// A handle whose object is counted in its allocation. Ordered by object, then by the `Arc` around
/// the object's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The object's allocation.
    pub address: u64,
    /// The `Arc` around the object's that the handle points into, 0: there is none.
    pub outer: u64,
    /// Row.
    pub index: u32,
    pub generation: u32,
    /// Each call of its kind clones the object first.
    pub clones_for_calls: bool,
}

/// The result of two looks at the table.
#[derive(Default)]
pub struct Census {
    /// In order, so that handles of one object follow one another.
    pub entries: Vec<Entry>,
    /// By row: its generation, and whether it held a reference, at the newest look.
    seen: Vec<u64>,
    /// Objects that got or lost a handle between the two looks; ascending.
    moved: Vec<u64>,
}

impl Census {
    /// The first look: the handles of the objects that are `wanted`.
    pub fn take(&mut self, table: &dyn Sampled, wanted: impl Fn(u64) -> bool) {
        self.entries.clear();
        let used = table.used();
        self.seen.resize(used as usize, 0);
        for index in 1..used {
            let words = table.words(index);
            // Acquire pairs with the Release that published the row: its address is that of this
            // generation
            let word = words[word::STATE].load(Ordering::Acquire);
            self.seen[index as usize] = key(word);
            if is_held(word) {
                self.entries
                    .extend(entry(table, index, word, words).filter(|entry| wanted(entry.address)));
            }
        }
        self.entries.sort_unstable();
    }

    /// The second look: notes which objects got or lost a handle since the first.
    pub fn compare(&mut self, table: &dyn Sampled) {
        // the counts were read before; the loads below must not be done earlier than that
        std::sync::atomic::fence(Ordering::SeqCst);
        self.moved.clear();
        let used = table.used();
        self.seen.resize(used as usize, 0);
        for index in 1..used {
            let words = table.words(index);
            let now = key(words[word::STATE].load(Ordering::Acquire));
            if std::mem::replace(&mut self.seen[index as usize], now) != now {
                // also of a row that came and went: a dead row keeps its address
                self.moved.push(words[word::ADDRESS].load(Ordering::Relaxed));
            }
        }
        self.moved.sort_unstable();
    }

    /// Whether these, all handles of an object at the first look, were all of them at the second.
    pub fn stood(&self, handles: &[Entry]) -> bool {
        let have_stayed =
            handles.iter().all(|entry| self.seen[entry.index as usize] == held(entry.generation));
        have_stayed
            && handles.first().is_none_or(|entry| self.moved.binary_search(&entry.address).is_err())
    }
}

/// A row that holds a reference, if its object carries counts.
fn entry(table: &dyn Sampled, index: u32, word: u64, words: &[AtomicU64; 8]) -> Option<Entry> {
    let type_id = (word >> 16) as u16;
    let kind = table.kind(type_id);
    // Relaxed: the load of word 0 acquired them
    let (address, data) =
        (words[word::ADDRESS].load(Ordering::Relaxed), words[word::DATA].load(Ordering::Relaxed));
    if !is_counted(kind) || address == 0 {
        return None;
    }
    let clones_for_calls =
        [Kind::Uniffi, Kind::UniffiTrait].iter().any(|&cloning| cloning as u8 == kind);
    let outer_bytes = table.outer_bytes(type_id);
    let outer = if outer_bytes == 0 { 0 } else { data.wrapping_sub(outer_bytes) };
    Some(Entry { address, outer, index, generation: (word >> 32) as u32, clones_for_calls })
}

/// The row holds a reference, also while a thread changes the row.
pub fn is_held(word: u64) -> bool {
    let state = word as u8 & !BUSY;
    state == ReferenceState::Live as u8 || state == ReferenceState::ReleaseRequested as u8
}

/// The kind keeps `{strong, weak}` before its objects.
fn is_counted(kind: u8) -> bool {
    [Kind::Arc, Kind::MutexMap, Kind::ArcMap, Kind::Uniffi, Kind::UniffiTrait]
        .iter()
        .any(|&counted| counted as u8 == kind)
}

fn key(word: u64) -> u64 {
    word >> 32 << 32 | u64::from(is_held(word))
}

fn held(generation: u32) -> u64 {
    u64::from(generation) << 32 | 1
}

/// The handles of one object after the other.
pub fn by_object(entries: &[Entry]) -> impl Iterator<Item = &[Entry]> {
    entries.chunk_by(|one, other| one.address.cmp(&other.address) == Order::Equal)
}

/// The handles of one object, grouped by the `Arc` around it; handles without such an `Arc` form
/// one group.
pub fn by_outer(handles: &[Entry]) -> impl Iterator<Item = &[Entry]> {
    handles.chunk_by(|one, other| one.outer == other.outer)
}
