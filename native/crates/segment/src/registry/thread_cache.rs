//! A thread's own rows: free rows at hand, and its dead rows, which it uses again itself. So a row
//! stays in the cache of the processor that its threads run on, and no lock is taken.
//!
//! The dead wait in a ring, longest dead first, and come back when enough died after them. A ring
//! that is full gives its oldest to the queue of all threads; how long it may get depends on how
//! many threads there are, so that a thousand idle threads do not keep the table to themselves.

use std::cell::Cell;
use std::collections::VecDeque;

/// Rows that a thread takes from, and gives back to, the common queue at a time.
pub(super) const BATCH: usize = 64;
/// Dead rows that are kept from being used again.
pub(super) const QUARANTINE: usize = 1024;
/// Dead rows that a thread can hold.
const RING: usize = 2 * QUARANTINE;
/// Dead rows that all threads should hold together, at most: 8 MiB of rows.
const ALL_RINGS: usize = 1 << 17;
/// How far ahead the rows to be used next are fetched: some hundred nanoseconds.
const AHEAD: u32 = 6;

/// A thread's own stock. No lock, no destructor: `Magazine::end` ends it.
pub struct Magazine {
    free: Stack,
    dead: Ring,
    is_ended: Cell<bool>,
}

struct Stack {
    indexes: [Cell<u32>; BATCH],
    length: Cell<usize>,
}

/// A queue of fixed size, made with the first that comes.
struct Ring {
    places: Cell<*mut u32>,
    /// Place of the first and place after the last, counted on and on.
    first: Cell<u32>,
    after: Cell<u32>,
    /// How long it may get, 0 until it is made.
    limit: Cell<u32>,
}

impl Stack {
    const fn new() -> Self {
        Self { indexes: [const { Cell::new(0) }; BATCH], length: Cell::new(0) }
    }

    #[inline(always)]
    fn pop(&self) -> Option<u32> {
        let length = self.length.get().checked_sub(1)?;
        self.length.set(length);
        Some(self.indexes[length].get())
    }

    fn push(&self, index: u32) {
        let length = self.length.get();
        self.indexes[length].set(index);
        self.length.set(length + 1);
    }

    fn drain(&self) -> impl Iterator<Item = u32> + '_ {
        let length = self.length.replace(0);
        self.indexes[..length].iter().map(Cell::get)
    }
}

impl Ring {
    const fn new() -> Self {
        Self {
            places: Cell::new(std::ptr::null_mut()),
            first: Cell::new(0),
            after: Cell::new(0),
            limit: Cell::new(0),
        }
    }

    #[inline(always)]
    fn length(&self) -> u32 {
        self.after.get().wrapping_sub(self.first.get())
    }

    /// # Safety
    /// The ring was made.
    #[inline(always)]
    unsafe fn place(&self, number: u32) -> *mut u32 {
        // SAFETY: `RING` places, and the rest of a division by that.
        unsafe { self.places.get().add(number as usize % RING) }
    }

    /// False when it is as long as it may get, or was not made.
    #[inline(always)]
    fn push(&self, index: u32) -> bool {
        let has_room = self.length() < self.limit.get();
        if has_room {
            // SAFETY: the limit is not 0, so it was made; this thread alone uses it.
            unsafe { *self.place(self.after.get()) = index };
            self.after.set(self.after.get().wrapping_add(1));
        }
        has_room
    }

    /// The row that died first, if more than `kept` are there, and the row to prefetch meanwhile.
    #[inline(always)]
    fn pop(&self, kept: u32) -> Option<(u32, u32)> {
        if self.length() <= kept {
            return None;
        }
        let first = self.first.get();
        self.first.set(first.wrapping_add(1));
        // SAFETY: not empty, so it was made. A place that holds nothing now held a row's index
        // before, or 0.
        Some(unsafe { (*self.place(first), *self.place(first.wrapping_add(AHEAD))) })
    }

    /// Moves the longest dead, all but `kept`.
    fn pour(&self, kept: u32, queue: &mut VecDeque<u32>) {
        while self.length() > kept {
            let first = self.first.get();
            // as far as the ring's end at most
            let count = (self.length() - kept).min(RING as u32 - first % RING as u32);
            // SAFETY: not empty, so it was made; these places are within it and in use.
            queue.extend(unsafe { std::slice::from_raw_parts(self.place(first), count as usize) });
            self.first.set(first.wrapping_add(count));
        }
    }

    fn make(&self, limit: u32) {
        if self.places.get().is_null() {
            self.places.set(Box::into_raw(Box::new([0_u32; RING])).cast());
        }
        self.limit.set(limit);
    }

    fn end(&self) {
        let places = self.places.replace(std::ptr::null_mut());
        self.limit.set(0);
        self.first.set(self.after.get());
        if !places.is_null() {
            // SAFETY: `make` made it of this many, and nothing points to it any more.
            drop(unsafe { Box::from_raw(places.cast::<[u32; RING]>()) });
        }
    }
}

impl Magazine {
    /// A magazine without rows.
    pub const fn new() -> Self {
        Self { free: Stack::new(), dead: Ring::new(), is_ended: Cell::new(false) }
    }

    /// A row to be used next, and a row to prefetch meanwhile; None: [`Magazine::fill`] it.
    #[inline(always)]
    pub(super) fn next(&self) -> Option<(u32, u32)> {
        self.dead.pop(QUARANTINE as u32).or_else(|| {
            let index = self.free.pop()?;
            Some((
                index,
                self.free.indexes[self.free.length.get().saturating_sub(AHEAD as usize)].get(),
            ))
        })
    }

    /// Number of rows to fetch at a time: 1 when the thread has ended, because rows in its stock
    /// would be lost.
    pub(super) fn batch(&self) -> usize {
        if self.is_ended.get() {
            1
        } else {
            BATCH
        }
    }

    /// Takes in at most `batch` rows, of which the last will be handed out first.
    pub(super) fn fill(&self, rows: impl Iterator<Item = u32>) {
        rows.for_each(|index| self.free.push(index));
    }

    /// Buries a row here; false: [`Magazine::make_room`] first.
    #[inline(always)]
    pub(super) fn bury(&self, index: u32) -> bool {
        self.dead.push(index)
    }

    /// Gives the longest dead to `queue`, until there is room; never when the thread has ended.
    /// `threads`: how many there are.
    pub(super) fn make_room(&self, threads: usize, queue: &mut VecDeque<u32>) {
        if self.is_ended.get() {
            return;
        }
        let limit = (ALL_RINGS / threads.max(1)).clamp(BATCH, RING);
        self.dead.make(limit as u32);
        if self.dead.length() as usize >= limit {
            let kept = limit - (limit / 4).max(BATCH / 2);
            self.dead.pour(kept as u32, queue);
        }
    }

    /// Up to a batch of the dead, however few they are.
    pub(super) fn give_up_oldest(&self) -> impl Iterator<Item = u32> + '_ {
        std::iter::from_fn(|| self.dead.pop(0).map(|(index, _)| index)).take(self.batch())
    }

    /// The thread ends: its dead rows are put at the end of the queue, its free rows at the
    /// beginning. It keeps no row that it gets from now on.
    pub(super) fn end(&self, queue: &mut VecDeque<u32>) {
        self.is_ended.set(true);
        self.dead.pour(0, queue);
        self.free.drain().for_each(|index| queue.push_front(index));
        self.dead.end();
    }

    /// Forgets everything, in a forked child that finds all free rows again.
    pub fn forget(&self) {
        self.free.length.set(0);
        self.dead.first.set(self.dead.after.get());
    }
}

impl Default for Magazine {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bury(magazine: &Magazine, index: u32, threads: usize) -> VecDeque<u32> {
        let mut queued = VecDeque::new();
        if !magazine.bury(index) {
            magazine.make_room(threads, &mut queued);
            assert!(magazine.bury(index));
        }
        queued
    }

    fn end(magazine: &Magazine) -> VecDeque<u32> {
        let mut dead = VecDeque::new();
        magazine.end(&mut dead);
        dead
    }

    #[test]
    fn the_dead_come_back_in_their_order_and_only_when_a_thousand_died_after_them() {
        let magazine = Magazine::new();
        for index in 1..=QUARANTINE as u32 {
            assert!(bury(&magazine, index, 1).is_empty());
            assert!(magazine.next().is_none());
        }
        for index in 1..5000 {
            assert!(bury(&magazine, QUARANTINE as u32 + index, 1).is_empty());
            assert_eq!(magazine.next().map(|(index, _)| index), Some(index));
        }
        assert_eq!(end(&magazine).len(), QUARANTINE);
    }

    #[test]
    fn a_full_ring_gives_its_oldest_away_and_loses_none() {
        let magazine = Magazine::new();
        let mut seen: Vec<u32> = (1..10_000).flat_map(|index| bury(&magazine, index, 1)).collect();
        seen.extend(end(&magazine));
        assert_eq!(seen, (1..10_000).collect::<Vec<u32>>());
    }

    #[test]
    fn among_many_threads_each_keeps_few() {
        let magazine = Magazine::new();
        (1..10_000).for_each(|index| drop(bury(&magazine, index, 4000)));
        assert!(end(&magazine).len() <= BATCH);
    }

    #[test]
    fn a_thread_that_has_ended_keeps_nothing() {
        let magazine = Magazine::new();
        end(&magazine);
        let mut queue = VecDeque::new();
        magazine.make_room(1, &mut queue);
        assert!(queue.is_empty() && !magazine.bury(1));
        assert_eq!(magazine.batch(), 1);
    }
}
