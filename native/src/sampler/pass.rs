//! One pass over the table: gather addresses, read them, look whether the rows are still the same, publish.
//!
//! The kernel reads for us, so an address that went stale is an error and not a crash. A successful read proves nothing by
//! itself: freed memory usually stays mapped. What proves it is the row, found alive in the same generation *after* the read;
//! it held a reference all the while, so what was read were the counts of its object.

use std::sync::atomic::{fence, AtomicU64, Ordering};
use std::time::Duration;

use super::{Resting, Sample, Sampled};
use crate::layout::{Kind, ReferenceState, COUNT_UNKNOWN, OUTER_UNKNOWN, STRONG_UNKNOWN};
use crate::platform::ipc::{self, MAX_RANGES};

/// Word 2 is one word that says all by itself; what orders it after the row's state is said where it is stored.
const COUNTS: Ordering = Ordering::Relaxed;
/// Word 2 of a row of which nothing is known.
const UNKNOWN: u64 = STRONG_UNKNOWN as u64 | (COUNT_UNKNOWN as u64) << 32 | (COUNT_UNKNOWN as u64) << 48;

/// Rows that are looked at again in one pass, how often, and after what pause: about 10 ms, of which half a millisecond is work.
const MOST_DOUBTS: usize = 32;
const GLIMPSES: usize = 64;
const GLIMPSE_PAUSE: Duration = Duration::from_micros(50);

/// A row whose counts are to be read.
#[derive(Clone, Copy)]
struct Wanted {
    index: u32,
    generation: u32,
    /// Each call of its kind clones the object first.
    clones_for_calls: bool,
    /// What is read is the `Arc` around the object's; the object's own is what comes next.
    is_outer: bool,
}

/// A row whose last sample may have met calls.
#[derive(Clone, Copy)]
struct Doubt {
    row: Wanted,
    address: u64,
    /// Of the `Arc` around the object's, 0: there is none.
    outer_address: u64,
}

/// What one look at an object read.
#[derive(Clone, Copy)]
struct Look {
    strong: u64,
    weak: u64,
    /// Strong count of the `Arc` around the object's, 0: there is none, or it could not be read.
    outer: u64,
}

/// What a pass needs, kept from one to the next.
pub struct Pass {
    wanted: Vec<Wanted>,
    addresses: Vec<u64>,
    read: Vec<[u64; 2]>,
    /// By index of the row.
    resting: Vec<Resting>,
    /// The system reads nothing for us.
    is_refused: bool,
    /// Row and strong count of the `Arc` around an object's that was read last.
    outer: (u32, u64),
    doubts: Vec<Doubt>,
}

impl Default for Pass {
    fn default() -> Self {
        Self::new()
    }
}

impl Pass {
    /// A pass that has seen nothing yet.
    pub fn new() -> Self {
        let (wanted, addresses) = (Vec::with_capacity(MAX_RANGES), Vec::with_capacity(MAX_RANGES));
        Self {
            wanted,
            addresses,
            read: vec![[0; 2]; MAX_RANGES],
            resting: Vec::new(),
            is_refused: false,
            outer: (0, 0),
            doubts: Vec::with_capacity(MOST_DOUBTS),
        }
    }

    /// Sample the whole table, as long as `goes_on`, which is asked after each batch. Returns how many rows could not be read that
    /// could be before.
    pub fn run(&mut self, table: &dyn Sampled, mut goes_on: impl FnMut() -> bool) -> u64 {
        let used = table.used();
        if self.resting.len() < used as usize {
            self.resting.resize(used as usize, Resting::default());
        }
        self.is_refused = false;
        let mut unreadable = 0;
        for index in 1..used {
            unreadable += self.gather(table, index);
            if self.wanted.len() == MAX_RANGES {
                unreadable += self.read_batch(table);
                if !goes_on() {
                    return unreadable;
                }
            }
        }
        unreadable += self.read_batch(table);
        self.look_again(table, goes_on);
        unreadable
    }

    /// Look at the rows in doubt again and again: sooner or later a look meets no call.
    fn look_again(&mut self, table: &dyn Sampled, mut goes_on: impl FnMut() -> bool) {
        let doubts = std::mem::take(&mut self.doubts);
        // calls count in the outer `Arc` until they have come in, then in the object's own
        let addresses: Vec<u64> =
            doubts.iter().flat_map(|doubt| [doubt.outer_address, doubt.address]).filter(|&address| address != 0).collect();
        for _ in 0..GLIMPSES {
            if doubts.is_empty() || self.is_refused || !goes_on() {
                break;
            }
            std::thread::sleep(GLIMPSE_PAUSE);
            let read = ipc::read_pairs(&addresses, &mut self.read).unwrap_or(0);
            let mut at = 0;
            for doubt in &doubts {
                let outer = if doubt.outer_address == 0 { 0 } else { self.read[at][0] };
                at += usize::from(doubt.outer_address != 0);
                if at >= read {
                    break;
                }
                let [strong, weak] = self.read[at];
                self.glimpse(table, doubt.row, &Look { strong, weak, outer });
                at += 1;
            }
        }
        self.doubts = doubts;
        self.doubts.clear();
    }

    fn glimpse(&mut self, table: &dyn Sampled, row: Wanted, look: &Look) {
        let words = table.words(row.index);
        let word = words[0].load(Ordering::Acquire);
        let Some(sample) = Sample::new(look.strong, look.outer) else { return };
        if is_held(word) && (word >> 32) as u32 == row.generation {
            let resting = self.resting[row.index as usize].glimpse(sample);
            store_resting(words, row.generation, resting, sample, look.weak);
        }
    }

    /// Put the row on the list when its object carries counts. A full list is read first; returns how many of it could not be.
    fn gather(&mut self, table: &dyn Sampled, index: u32) -> u64 {
        let words = table.words(index);
        // Acquire pairs with the Release that published the row: its address is that of this generation.
        let word = words[0].load(Ordering::Acquire);
        let kind = table.kind((word >> 16) as u16);
        let address = words[1].load(Ordering::Relaxed);
        if !is_held(word) || !is_counted(kind) || address == 0 {
            return 0;
        }
        let clones_for_calls = [Kind::Uniffi, Kind::UniffiTrait].iter().any(|&cloning| cloning as u8 == kind);
        let row = Wanted { index, generation: (word >> 32) as u32, clones_for_calls, is_outer: false };
        let outer_bytes = table.outer_bytes((word >> 16) as u16);
        let is_too_full = outer_bytes != 0 && self.wanted.len() + 2 > MAX_RANGES;
        let unreadable = if is_too_full { self.read_batch(table) } else { 0 };
        if outer_bytes != 0 {
            self.want(Wanted { is_outer: true, ..row }, words[7].load(Ordering::Relaxed).wrapping_sub(outer_bytes));
        }
        self.want(row, address);
        unreadable
    }

    fn want(&mut self, row: Wanted, address: u64) {
        self.wanted.push(row);
        self.addresses.push(address);
    }

    fn read_batch(&mut self, table: &dyn Sampled) -> u64 {
        let (mut done, mut unreadable) = (0, 0);
        while done < self.wanted.len() {
            let count = self.read_from(done);
            for position in done..done + count {
                self.publish(table, position);
            }
            done += count;
            if done < self.wanted.len() {
                unreadable += u64::from(self.lose(table, self.wanted[done]));
                done += 1;
            }
        }
        self.wanted.clear();
        self.addresses.clear();
        unreadable
    }

    /// Read what can be read without a gap from position `done` on. Once the system refused to read for us, it is not asked again
    /// in this pass.
    fn read_from(&mut self, done: usize) -> usize {
        if self.is_refused {
            return 0;
        }
        let read = ipc::read_pairs(&self.addresses[done..], &mut self.read[done..]);
        self.is_refused = read.is_err();
        read.unwrap_or(0)
    }

    fn publish(&mut self, table: &dyn Sampled, position: usize) {
        let (row, [strong, weak]) = (self.wanted[position], self.read[position]);
        if row.is_outer {
            self.outer = (row.index, strong);
            return;
        }
        let look = Look { strong, weak, outer: self.take_outer(row.index) };
        let words = table.words(row.index);
        let word = words[0].load(Ordering::Acquire);
        if !is_held(word) || (word >> 32) as u32 != row.generation {
            return;
        }
        let Some(sample) = Sample::new(look.strong, look.outer) else {
            return store(words, row.generation, UNKNOWN, OUTER_UNKNOWN);
        };
        if row.clones_for_calls {
            let resting = self.resting[row.index as usize].observe(row.generation, sample);
            self.note_doubt(position, row);
            store_resting(words, row.generation, resting, sample, weak);
        } else {
            store_counts(words, row.generation, counts_word(sample.strong, weak, COUNT_UNKNOWN));
        }
    }

    /// Remembers a row that is worth more looks, as long as there is room.
    fn note_doubt(&mut self, position: usize, row: Wanted) {
        if self.doubts.len() == MOST_DOUBTS || !self.resting[row.index as usize].is_in_doubt() {
            return;
        }
        let outer = position.checked_sub(1).filter(|&before| self.wanted[before].is_outer && self.wanted[before].index == row.index);
        let outer_address = outer.map_or(0, |before| self.addresses[before]);
        self.doubts.push(Doubt { row, address: self.addresses[position], outer_address });
    }

    /// What the `Arc` around the row's object counts, 0: there is none, or it could not be read.
    fn take_outer(&mut self, index: u32) -> u64 {
        let (row, strong) = std::mem::take(&mut self.outer);
        if row == index {
            strong
        } else {
            0
        }
    }

    /// The row's address could not be read. True: that is news.
    fn lose(&mut self, table: &dyn Sampled, row: Wanted) -> bool {
        if row.is_outer {
            return false;
        }
        let words = table.words(row.index);
        let word = words[0].load(Ordering::Acquire);
        if !is_held(word) || (word >> 32) as u32 != row.generation {
            // It went meanwhile, and its memory with it.
            return false;
        }
        store(words, row.generation, UNKNOWN, OUTER_UNKNOWN);
        self.resting[row.index as usize].lose(row.generation)
    }
}

/// The row holds a reference and nobody is changing it.
fn is_held(word: u64) -> bool {
    let state = word as u8;
    state == ReferenceState::Live as u8 || state == ReferenceState::ReleaseRequested as u8
}

/// The kind keeps `{strong, weak}` before its objects.
fn is_counted(kind: u8) -> bool {
    [Kind::Arc, Kind::MutexMap, Kind::ArcMap, Kind::Uniffi, Kind::UniffiTrait].iter().any(|&counted| counted as u8 == kind)
}

/// `weak` as std keeps it: with one for all strongs together, and all ones while `get_mut` looks at it.
fn counts_word(strong: u32, weak: u64, in_flight: u16) -> u64 {
    let weak = if weak == u64::MAX { COUNT_UNKNOWN } else { saturating_u16(weak.saturating_sub(1)) };
    u64::from(strong) | u64::from(weak) << 32 | u64::from(in_flight) << 48
}

fn saturating_u16(count: u64) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX).min(COUNT_UNKNOWN - 1)
}

/// Store what an object counts at rest, and in flight what the last sample found above that.
fn store_resting(words: &[AtomicU64; 8], generation: u32, resting: Sample, last: Sample, weak: u64) {
    let in_flight = saturating_u16(u64::from(last.strong.saturating_sub(resting.strong)));
    store(words, generation, counts_word(resting.inner(), weak, in_flight), resting.outer);
}

/// Store word 2 and the outer count. When a reference has moved from the one to the other, both change: then the outer is unknown meanwhile, so
/// that nobody who reads the row twice takes the one of before with the other of now.
fn store(words: &[AtomicU64; 8], generation: u32, counts: u64, outer: u32) {
    let is_other_strong = words[2].load(COUNTS) as u32 != counts as u32;
    if is_other_strong && (words[6].load(COUNTS) >> 32) as u32 != outer {
        store_outer(words, generation, OUTER_UNKNOWN);
    }
    store_counts(words, generation, counts);
    store_outer(words, generation, outer);
}

/// Store the outer count, the upper half of word 6, in a row that was of `generation` a moment ago; as `store_counts` does.
fn store_outer(words: &[AtomicU64; 8], generation: u32, outer: u32) {
    let before = words[6].load(COUNTS);
    let after = before & 0xFFFF_FFFF | u64::from(outer) << 32;
    if before == after || words[6].compare_exchange(before, after, COUNTS, COUNTS).is_err() {
        return;
    }
    fence(Ordering::SeqCst);
    if (words[0].load(Ordering::Relaxed) >> 32) as u32 != generation {
        let unknown = before & 0xFFFF_FFFF | u64::from(OUTER_UNKNOWN) << 32;
        let _ = words[6].compare_exchange(after, unknown, COUNTS, COUNTS);
    }
}

/// Store counts in a row that was of `generation` a moment ago.
///
/// By compare-exchange, so that a birth between the look and the store is not overwritten with the counts of the row's last
/// occupant, unless nothing was known of either; the second look takes that back. The fence keeps it behind the store and pairs
/// with the Release fence in the row's publication.
fn store_counts(words: &[AtomicU64; 8], generation: u32, counts: u64) {
    let before = words[2].load(COUNTS);
    if before == counts || words[2].compare_exchange(before, counts, COUNTS, COUNTS).is_err() {
        return;
    }
    fence(Ordering::SeqCst);
    if (words[0].load(Ordering::Relaxed) >> 32) as u32 != generation {
        // Whoever has written since knows better.
        let _ = words[2].compare_exchange(counts, UNKNOWN, COUNTS, COUNTS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(generation: u64, counts: u64) -> [AtomicU64; 8] {
        [generation << 32 | 1, 0, counts, 0, 0, 0, 0, 0].map(AtomicU64::new)
    }

    #[test]
    fn counts_of_a_row_of_that_generation_are_stored() {
        let row = words(4, UNKNOWN);
        store_counts(&row, 4, counts_word(2, 1, COUNT_UNKNOWN));
        assert_eq!(row[2].load(COUNTS), counts_word(2, 1, COUNT_UNKNOWN));
    }

    #[test]
    fn counts_stored_in_a_row_that_was_used_again_just_then_are_taken_back() {
        let row = words(5, UNKNOWN);
        store_counts(&row, 4, counts_word(2, 1, COUNT_UNKNOWN));
        assert_eq!(row[2].load(COUNTS), UNKNOWN);
    }

    #[test]
    fn a_weak_count_leaves_out_the_one_of_all_strongs_and_is_unknown_while_it_is_locked() {
        let weak = |weak| (counts_word(1, weak, 0) >> 32) as u16;
        assert_eq!([weak(1), weak(3), weak(0), weak(u64::MAX), weak(1 << 40)], [0, 2, 0, COUNT_UNKNOWN, COUNT_UNKNOWN - 1]);
    }

    #[test]
    fn an_outer_count_goes_beside_the_sites_and_is_taken_back_from_a_row_that_was_used_again() {
        let row = words(4, UNKNOWN);
        row[6].store(0x0007_0003, COUNTS);
        store(&row, 4, counts_word(2, 1, 0), 5);
        assert_eq!((row[2].load(COUNTS), row[6].load(COUNTS)), (counts_word(2, 1, 0), 5 << 32 | 0x0007_0003));
        store(&row, 3, counts_word(3, 1, 0), 6);
        assert_eq!(row[6].load(COUNTS), 0x0007_0003);
    }
}
