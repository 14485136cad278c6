//! The rows of the handles that the host has, and the futures that it awaits.
//!
//! One handle may have several rows: a method that returns an object again gives the same number.
//! The host releases each of them by that number, and the newest row ends first.

use std::hash::{BuildHasher, BuildHasherDefault};
use std::sync::atomic::{AtomicU64, Ordering};

use follow::places::{PlaceHasher, Places};
use segment::sync::Lock;

/// Parts of the table, each with a lock of its own.
const SHARDS: usize = 64;
/// Handles that were seen lately, so that most clones need no lock.
const RECENT: usize = 4096;

type Hasher = BuildHasherDefault<PlaceHasher>;
type Shard = Lock<Places<u64, Rows>>;

/// The rows of one handle.
#[derive(Debug)]
enum Rows {
    One(u64),
    More(Vec<u64>),
}

static ROWS: [Shard; SHARDS] =
    [const { Lock::new(Places::with_hasher(BuildHasherDefault::new())) }; SHARDS];
static RECENTLY: [AtomicU64; RECENT] = [const { AtomicU64::new(0) }; RECENT];

/// Holds the table across a fork.
pub fn hold() {
    ROWS.iter().for_each(Lock::hold);
}

/// Releases it.
///
/// # Safety
/// After `hold`, by the same thread or its copy in the child.
pub unsafe fn release() {
    // SAFETY: the caller's promise.
    ROWS.iter().for_each(|shard| unsafe { shard.let_go() });
}

fn place(handle: u64) -> usize {
    Hasher::default().hash_one(handle) as usize
}

fn shard(handle: u64) -> &'static Shard {
    &ROWS[place(handle) % SHARDS]
}

fn recent(handle: u64) -> &'static AtomicU64 {
    &RECENTLY[place(handle) / SHARDS % RECENT]
}

/// The host has a handle more, with this row.
pub fn add(handle: u64, row: u64) {
    let mut rows = shard(handle).lock();
    let more = match rows.remove(&handle) {
        None => Rows::One(row),
        Some(Rows::One(first)) => Rows::More(vec![first, row]),
        Some(Rows::More(mut more)) => {
            more.push(row);
            Rows::More(more)
        }
    };
    rows.insert(handle, more);
    // Relaxed: a hint, read and corrected under the lock
    recent(handle).store(handle, Ordering::Relaxed);
}

/// Whether the handle has a row. A thread that clones a handle has it from the thread that made it,
/// so it sees that row.
pub fn knows(handle: u64) -> bool {
    if recent(handle).load(Ordering::Relaxed) == handle {
        return true;
    }
    let rows = shard(handle).lock();
    let is_known = rows.contains_key(&handle);
    if is_known {
        recent(handle).store(handle, Ordering::Relaxed);
    }
    is_known
}

/// The host releases a handle: its newest row.
pub fn take(handle: u64) -> Option<u64> {
    let mut rows = shard(handle).lock();
    let (row, left) = match rows.remove(&handle)? {
        Rows::One(row) => (row, None),
        Rows::More(mut more) => (more.pop()?, Some(more)),
    };
    match left {
        Some(more) if more.len() == 1 => drop(rows.insert(handle, Rows::One(more[0]))),
        Some(more) => drop(rows.insert(handle, Rows::More(more))),
        // under the lock, so that no hint outlives the row
        None => forget_hint(handle),
    }
    Some(row)
}

fn forget_hint(handle: u64) {
    let _ = recent(handle).compare_exchange(handle, 0, Ordering::Relaxed, Ordering::Relaxed);
}

/// All handles with their rows.
pub fn each(mut look: impl FnMut(u64, u64)) {
    for shard in &ROWS {
        let rows = shard.lock();
        for (&handle, held) in rows.iter() {
            match held {
                Rows::One(row) => look(handle, *row),
                Rows::More(more) => more.iter().for_each(|&row| look(handle, row)),
            }
        }
    }
}

/// Forgets all rows. Returns them.
pub fn clear() -> Vec<u64> {
    let mut all = Vec::new();
    each(|_, row| all.push(row));
    for shard in &ROWS {
        *shard.lock() = Places::default();
    }
    RECENTLY.iter().for_each(|hint| hint.store(0, Ordering::Relaxed));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_has_as_many_rows_as_it_was_given_times_and_the_newest_ends_first() {
        add(0x5010, 1);
        add(0x5010, 2);
        add(0x5010, 3);
        assert!(knows(0x5010));
        assert_eq!([take(0x5010), take(0x5010)], [Some(3), Some(2)]);
        assert!(knows(0x5010));
        assert_eq!([take(0x5010), take(0x5010)], [Some(1), None]);
        assert!(!knows(0x5010));
    }
}
