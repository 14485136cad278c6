//! Which rows are free. Rows that died wait in a queue before they are used again, so the most
//! recent dead stay readable as tombstones.

use std::alloc::Layout;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::atomic::{AtomicPtr, AtomicU16, AtomicU32, AtomicU64, Ordering};

use super::slot::Slot;
use super::thread_cache::{Magazine, BATCH, QUARANTINE};
use super::{generation_of, handle_of, index_of, Birth};
use crate::layout::{HandleSlot, ReferenceState, MAX_HANDLES};
use crate::sync::Lock;
use crate::{Part, Segment};

/// Rows of private memory made at a time.
const CHUNK: u32 = 1024;
/// How many times that may happen.
const CHUNKS: usize = 2048;

struct Free {
    dead: VecDeque<u32>,
    fresh: u32,
    fresh_private: u32,
}

/// More than one thread has used the row, or its users are unknown.
pub const SHARED: u16 = u16::MAX;

/// Zeros, untouched until a row is used: pages that the system has not made yet. None: there is no
/// memory for them.
///
/// # Safety
/// All bytes zero are a `T` that needs no drop.
unsafe fn zeroed<T>(length: usize) -> Option<Box<[T]>> {
    let layout = Layout::array::<T>(length).ok().filter(|layout| layout.size() > 0)?;
    // SAFETY: of some size.
    let place = unsafe { std::alloc::alloc_zeroed(layout) }.cast::<T>();
    // SAFETY: allocated as a box of this type would be; the caller's promise about its content.
    (!place.is_null())
        .then(|| unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(place, length)) })
}

type Row = [AtomicU64; 8];

/// On cache lines of its own, so that frequent writes do not disturb the fields that every call
/// reads.
#[repr(align(128))]
struct Apart<T>(T);

/// All rows of the process: the rows of the segment and, when it is full, rows in private memory,
/// which work but are not seen.
pub struct Table {
    segment: Segment,
    /// The rows of the segment, where they lie for life.
    rows: AtomicPtr<Row>,
    /// How many of them are ready, from the first on. Only grows.
    ready: AtomicU32,
    free: Apart<Lock<Free>>,
    private: Box<[AtomicPtr<Row>]>,
    private_used: AtomicU32,
    /// For each row of the segment the only thread that has used it in its present life, or
    /// `SHARED`.
    users: Box<[AtomicU16]>,
}

impl Table {
    /// An empty table over `segment`.
    pub fn new(segment: Segment) -> Self {
        segment.reserve(Part::Handles, 0, 1);
        let private = (0..CHUNKS).map(|_| AtomicPtr::new(std::ptr::null_mut())).collect();
        let free =
            Apart(Lock::new(Free { dead: VecDeque::new(), fresh: 1, fresh_private: MAX_HANDLES }));
        let rows = AtomicPtr::new(std::ptr::from_ref(segment.handle(0)).cast_mut());
        // SAFETY: an `AtomicU16` of zeros is 0. Without memory for these notes no row of the
        // segment is used: see `fresh_batch`.
        let users = unsafe { zeroed::<AtomicU16>(segment.capacity(Part::Handles) as usize) }
            .unwrap_or_default();
        Self {
            segment,
            rows,
            ready: AtomicU32::new(0),
            free,
            private,
            private_used: AtomicU32::new(MAX_HANDLES),
            users,
        }
    }

    /// The segment.
    #[inline]
    pub fn segment(&self) -> &Segment {
        &self.segment
    }

    /// The row at an index that was used at some time.
    #[inline(always)]
    pub fn slot(&self, index: u32) -> Option<Slot<'_>> {
        // Acquire pairs with the Release in `fresh_batch`: the row's bytes are reserved
        if index.wrapping_sub(1) < self.ready.load(Ordering::Acquire) {
            // SAFETY: ready, so within the mapping, which lives as long as the table and stays
            // where it is.
            return Some(Slot::new(unsafe {
                &*self.rows.load(Ordering::Relaxed).add(index as usize)
            }));
        }
        self.private_slot(index)
    }

    /// The row that a handle of our own names, with the note of its only user; None: a number of
    /// another kind, or a row of private memory.
    #[inline(always)]
    pub fn plain_row(&self, handle: u64) -> Option<(Slot<'_>, &AtomicU16)> {
        // the foreign bit comes to the top, where it makes the index too large
        let index = (handle as u32).rotate_right(1);
        if index.wrapping_sub(1) >= self.ready.load(Ordering::Acquire) {
            return None;
        }
        // SAFETY: ready, so within the mapping, and within the users, of which there are as many as
        // the segment can have rows.
        unsafe {
            let row = self.rows.load(Ordering::Relaxed).add(index as usize);
            std::hint::assert_unchecked(!row.is_null());
            Some((Slot::new(&*row), self.users.get_unchecked(index as usize)))
        }
    }

    #[cold]
    fn private_slot(&self, index: u32) -> Option<Slot<'_>> {
        if index < MAX_HANDLES || index >= self.private_used.load(Ordering::Acquire) {
            return None;
        }
        let at = index - MAX_HANDLES;
        // Acquire pairs with the Release in `private_batch`: the chunk is initialised
        let chunk = self.private[(at / CHUNK) as usize].load(Ordering::Acquire);
        // SAFETY: below `private_used`, so the chunk was made; chunks live as long as the table.
        Some(Slot::new(unsafe { &*chunk.add((at % CHUNK) as usize) }))
    }

    /// The row that a handle names or named.
    #[inline]
    pub fn slot_of(&self, handle: u64) -> Option<Slot<'_>> {
        self.slot(index_of(handle))
    }

    /// The only thread that has used the row so far, [`SHARED`] when there are several. None: the
    /// row has no such note and counts as shared.
    #[inline]
    pub fn user(&self, index: u32) -> Option<&AtomicU16> {
        self.users.get(index as usize)
    }

    /// Whether a row at this index can be seen from outside.
    pub fn is_tracked(&self, index: u32) -> bool {
        index < MAX_HANDLES
    }

    /// A free row; None when even private memory has no more. Takes the lock once in `BATCH` calls,
    /// so not inside `threads::mutate`.
    #[inline(always)]
    pub fn take(&self, magazine: &Magazine) -> Option<u32> {
        let (index, next) = magazine.next().or_else(|| self.refill(magazine))?;
        // rows wait long before they are used again, so the next rows are in no near cache
        crate::cpu::prefetch(self.rows.load(Ordering::Relaxed).wrapping_add(next as usize));
        Some(index)
    }

    #[cold]
    #[inline(never)]
    fn refill(&self, magazine: &Magazine) -> Option<(u32, u32)> {
        let (mut free, batch) = (self.free.0.lock(), magazine.batch());
        let surplus = free.dead.len().saturating_sub(QUARANTINE).min(batch);
        if surplus > 0 {
            magazine.fill(free.dead.drain(..surplus).rev());
        } else if let Some(fresh) = self.fresh_batch(&mut free, batch) {
            magazine.fill(fresh.rev());
        } else {
            self.refill_from_tombstones(&mut free, magazine);
        }
        magazine.next()
    }

    /// Without room for fresh rows, losing tombstones is better than making rows that no viewer
    /// sees; the thread's own tombstones are used first.
    fn refill_from_tombstones(&self, free: &mut Free, magazine: &Magazine) {
        let own: Vec<u32> = magazine.give_up_oldest().collect();
        if !own.is_empty() {
            magazine.fill(own.into_iter().rev());
        } else if !free.dead.is_empty() {
            let oldest = free.dead.len().min(magazine.batch());
            magazine.fill(free.dead.drain(..oldest).rev());
        } else {
            magazine.fill(self.private_batch(free, magazine.batch()).rev());
        }
    }

    fn fresh_batch(&self, free: &mut Free, batch: usize) -> Option<Range<u32>> {
        // up to a multiple of a batch, so that notes of users of two threads' rows share no cache
        // line
        let wanted = (BATCH as u32 - free.fresh % BATCH as u32).min(batch as u32);
        let room = (self.users.len() as u32).saturating_sub(free.fresh).min(wanted);
        if room == 0 || !self.segment.reserve(Part::Handles, free.fresh, room) {
            return None;
        }
        free.fresh += room;
        // row 0 is none
        self.ready.store(free.fresh - 1, Ordering::Release);
        Some(free.fresh - room..free.fresh)
    }

    fn private_batch(&self, free: &mut Free, batch: usize) -> Range<u32> {
        let at = free.fresh_private - MAX_HANDLES;
        let Some(chunk) = self.private.get((at / CHUNK) as usize) else {
            return 0..0;
        };
        if at % CHUNK == 0 {
            // SAFETY: atomics of zeros are 0.
            let Some(rows) = (unsafe { zeroed::<Row>(CHUNK as usize) }) else { return 0..0 };
            chunk.store(Box::into_raw(rows).cast(), Ordering::Release);
        }
        let room = (batch as u32).min(CHUNK - at % CHUNK);
        free.fresh_private += room;
        self.private_used.store(free.fresh_private, Ordering::Release);
        free.fresh_private - room..free.fresh_private
    }

    /// Makes a row live and returns its handle. Inside `threads::mutate`.
    #[inline(always)]
    pub fn publish(&self, index: u32, birth: &Birth) -> u64 {
        let Some(slot) = self.slot(index) else {
            return 0;
        };
        handle_of(slot.publish(birth), index, birth.is_foreign)
    }

    /// Gives back a dead row. A row whose generations are used up is left out for good: no number
    /// ever comes back.
    #[inline(always)]
    pub fn give_back(&self, handle: u64, magazine: &Magazine) {
        if generation_of(handle) != u32::MAX && !magazine.bury(index_of(handle)) {
            self.make_room(index_of(handle), magazine);
        }
    }

    #[cold]
    #[inline(never)]
    fn make_room(&self, index: u32, magazine: &Magazine) {
        let threads = self.segment.used(Part::Threads) as usize;
        let mut free = self.free.0.lock();
        magazine.make_room(threads, &mut free.dead);
        if !magazine.bury(index) {
            free.dead.push_back(index);
        }
    }

    /// Takes back everything a thread held; it ends.
    pub fn empty(&self, magazine: &Magazine) {
        magazine.end(&mut self.free.0.lock().dead);
    }

    /// Holds the queue across a fork.
    pub fn hold(&self) {
        self.free.0.hold();
    }

    /// Unlocks it.
    ///
    /// # Safety
    /// Held by `hold` before.
    pub unsafe fn let_go(&self) {
        // SAFETY: the caller's promise.
        unsafe { self.free.0.let_go() };
    }

    /// Finds all free rows again, in a forked child: the stocks of other threads are no longer
    /// theirs.
    pub fn find_free(&self) {
        let mut free = self.free.0.lock();
        let (fresh, private) = (free.fresh, free.fresh_private);
        free.dead.clear();
        for index in (1..fresh).chain(MAX_HANDLES..private) {
            let is_found = self.slot(index).is_some_and(|slot| is_free(&slot));
            // without memory to note them the rest stay unused
            if is_found && free.dead.try_reserve(1).is_ok() {
                free.dead.push_back(index);
            }
        }
    }
}

fn is_free(slot: &Slot<'_>) -> bool {
    let word = slot.word0();
    let held = [ReferenceState::Live as u8, ReferenceState::ReleaseRequested as u8];
    word.generation() != u32::MAX && !held.contains(&word.reference())
}

impl Drop for Table {
    fn drop(&mut self) {
        for chunk in &self.private {
            let chunk = chunk.load(Ordering::Acquire);
            if !chunk.is_null() {
                // SAFETY: made by `Box::into_raw` of so many rows, and no code uses it any more.
                drop(unsafe {
                    Box::from_raw(std::ptr::slice_from_raw_parts_mut(chunk, CHUNK as usize))
                });
            }
        }
    }
}

const _: () = assert!(size_of::<Row>() == size_of::<HandleSlot>());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Word0;
    use crate::Capacities;

    fn table(rows: u32) -> Table {
        let segment =
            Segment::new(None, Capacities { records: [4, 4, 4, 4, 64, rows, 1] }).expect("memory");
        Table::new(segment)
    }

    fn born(table: &Table, magazine: &Magazine) -> u64 {
        let index = table.take(magazine).expect("a row");
        table.publish(index, &Birth { type_id: 1, ..Birth::default() })
    }

    fn die(table: &Table, magazine: &Magazine, handle: u64) {
        let slot = table.slot_of(handle).expect("its row");
        let word = slot.begin(generation_of(handle)).expect("its generation");
        slot.end(word.with(ReferenceState::Released as u8, 0));
        table.give_back(handle, magazine);
    }

    #[test]
    fn a_number_never_comes_back() {
        let (table, magazine) = (table(64), Magazine::new());
        let mut seen = std::collections::HashSet::new();
        for _ in 0..10_000 {
            let handle = born(&table, &magazine);
            assert!(seen.insert(handle));
            die(&table, &magazine, handle);
        }
        table.empty(&magazine);
    }

    #[test]
    fn the_last_thousand_dead_rows_stay_readable() {
        let (table, magazine) = (table(1 << 14), Magazine::new());
        let handles: Vec<u64> = (0..3000).map(|_| born(&table, &magazine)).collect();
        handles.iter().for_each(|&handle| die(&table, &magazine, handle));
        let reborn: Vec<u64> = (0..1000).map(|_| born(&table, &magazine)).collect();
        let newest = &handles[handles.len() - 1000..];
        assert!(newest.iter().all(|&handle| table
            .slot_of(handle)
            .is_some_and(|slot| slot.word0().generation() == generation_of(handle))));
        assert_eq!(reborn.len(), 1000);
        table.empty(&magazine);
    }

    #[test]
    fn a_full_table_goes_on_in_private_rows() {
        let (table, magazine) = (table(33), Magazine::new());
        let handles: Vec<u64> = (0..100).map(|_| born(&table, &magazine)).collect();
        let tracked = handles.iter().filter(|&&handle| table.is_tracked(index_of(handle))).count();
        assert_eq!(tracked, 32);
        assert!(handles
            .iter()
            .all(|&handle| table.slot_of(handle).is_some_and(|slot| slot.word0().is_live())));
    }

    #[test]
    fn a_row_of_the_last_generation_is_never_used_again() {
        let (table, magazine) = (table(64), Magazine::new());
        let index = table.take(&magazine).expect("a row");
        table.slot(index).expect("its row").settle(Word0(u64::from(u32::MAX - 1) << 32));
        let last = table.publish(index, &Birth { type_id: 1, ..Birth::default() });
        assert_eq!(generation_of(last), u32::MAX);
        die(&table, &magazine, last);
        table.empty(&magazine);
        table.find_free();
        assert!((0..100).all(|_| index_of(born(&table, &magazine)) != index));
    }

    #[test]
    fn index_zero_and_rows_never_used_are_no_rows() {
        let table = table(64);
        assert!(table.slot(0).is_none());
        assert!(table.slot(1).is_none());
        assert!(table.slot(MAX_HANDLES).is_none());
    }
}
