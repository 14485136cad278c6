//! Rows of the handle table, each of one moment.
//!
//! Writers never wait for readers. A writer sets `BUSY` in word 0 before it changes more than word
//! 2, and clears it with the new state last. A row is taken when two reads of it are equal but for
//! word 2 and not `BUSY`: the second read begins after the first one ended, so a change that the
//! first one met half-way shows in the second as `BUSY`, as another state, or as a later
//! `changed_at_ticks`. Word 2 (the counts) is one word and needs no partner, except in a row with
//! an outer count: the sampler forgets that one before it changes both, so two reads with the same
//! outer and the same strong count are of one pass.

use super::file::{zeroed, SegmentFile};
use super::geometry::{Geometry, Part};
use super::{ReadError, Result};
use segment::layout::{HandleSlot, ReferenceState, BUSY, OUTER_UNKNOWN};

/// Rows read at once; two such buffers lie on the stack (32 KiB).
const CHUNK: usize = 256;
/// Rows that a sweep reads at once: both buffers fit a second-level cache.
const SWEEP: usize = 2048;
/// Rows of a sweep that are compared at once.
const BLOCK: usize = 16;
/// So many rows of a sweep are read again one by one; more are read together.
const FEW: usize = 24;
/// Pairs of reads of a row that is being written, before it is handed out as it is.
const TRIES: usize = 4;
/// Word with the counts, which the sampler changes on its own.
const COUNT_WORD: usize = 2;

/// The result of reading rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowsRead {
    /// Rows that there are; only the caller's capacity of them were written.
    pub rows: usize,
    /// Rows written whose fields may be of two moments. Their `reference_state` has `BUSY` set.
    pub changing: u64,
}

/// The handle table of one file.
pub struct Rows<'a> {
    /// File to read.
    pub file: &'a SegmentFile,
    /// Its checked header.
    pub geometry: &'a Geometry,
}

impl Rows<'_> {
    /// Rows 1 to the high-water mark: row *i* at position *i - 1*, never-used rows as zeros.
    pub fn all(&self, out: &mut [HandleSlot]) -> Result<RowsRead> {
        let rows = self.row_count()?;
        let mut found = RowsRead { rows, changing: 0 };
        let wanted = rows.min(out.len());
        let mut again = [zeroed::<HandleSlot>(); CHUNK];
        for (position, chunk) in out[..wanted].chunks_mut(CHUNK).enumerate() {
            let first = 1 + position * CHUNK;
            found.changing += self.read_settled(first as u32, chunk, &mut again[..])?;
        }
        Ok(found)
    }

    /// Rows that are not free, in slot order, each with its index.
    pub fn live(&self, out: &mut [HandleSlot], indices: &mut [u32]) -> Result<RowsRead> {
        let rows = self.row_count()?;
        let capacity = out.len().min(indices.len());
        let mut found = RowsRead::default();
        let (mut once, mut again) =
            ([zeroed::<HandleSlot>(); CHUNK], [zeroed::<HandleSlot>(); CHUNK]);
        for first in (1..=rows).step_by(CHUNK) {
            let chunk = &mut once[..CHUNK.min(rows + 1 - first)];
            self.read_settled(first as u32, chunk, &mut again)?;
            for (position, slot) in chunk.iter().enumerate().filter(|(_, slot)| !is_free(slot)) {
                if found.rows < capacity {
                    out[found.rows] = *slot;
                    indices[found.rows] = (first + position) as u32;
                    found.changing += u64::from(slot.reference_state & BUSY != 0);
                }
                found.rows += 1;
            }
        }
        Ok(found)
    }

    /// Tells `tell` each row that differs from its copy in `known`, with its position: row *i* at
    /// position *i - 1*. `known` holds rows of an earlier sweep and may be shorter than the table.
    ///
    /// An earlier copy is as good as a first read: a row that is equal to it, or differs in the
    /// counts alone, is of one moment after one read.
    pub fn changes(
        &self,
        known: &[HandleSlot],
        is_given_up: &dyn Fn() -> bool,
        mut tell: impl FnMut(u32, &HandleSlot),
    ) -> Result<RowsRead> {
        let rows = self.row_count()?;
        let mut found = RowsRead { rows, changing: 0 };
        let mut sweep = Sweep::new();
        for first in (0..rows).step_by(SWEEP) {
            if is_given_up() {
                return Err(ReadError::Argument("the reading was given up".into()));
            }
            let stop = (first + SWEEP).min(rows);
            let old = known.get(first..stop.min(known.len())).unwrap_or(&[]);
            found.changing += self.sweep(first, stop - first, old, &mut sweep, &mut tell)?;
        }
        for (position, old) in known.iter().enumerate().skip(rows) {
            if !is_free(old) {
                tell(position as u32, &zeroed());
            }
        }
        Ok(found)
    }

    /// Tell the changes of `count` rows from position `first` on.
    fn sweep(
        &self,
        first: usize,
        count: usize,
        old: &[HandleSlot],
        sweep: &mut Sweep,
        tell: &mut impl FnMut(u32, &HandleSlot),
    ) -> Result<u64> {
        let Sweep { once, again, open, none } = sweep;
        let offset = self.geometry.offset(Part::Handles, first as u32 + 1);
        self.file.read(offset, &mut once[..count])?;
        open.clear();
        for from in (0..count).step_by(BLOCK) {
            let stop = (from + BLOCK).min(count);
            // most blocks did not change, and one comparison of a block tells so
            if old.get(from..stop).is_some_and(|old| bytes(old) == bytes(&once[from..stop])) {
                continue;
            }
            for (position, row) in once[..stop].iter().enumerate().skip(from) {
                let before = old.get(position).unwrap_or(none);
                if is_equal(row, before) {
                    continue;
                }
                if agree(row, before) {
                    tell((first + position) as u32, row);
                } else {
                    open.push(position);
                }
            }
        }
        let is_many = open.len() > FEW;
        if is_many {
            self.file.read(offset, &mut again[..count])?;
        }
        let mut changing = 0;
        for &position in open.iter() {
            let index = (first + position) as u32 + 1;
            if !is_many {
                again[position] = self.file.read_one(self.geometry.offset(Part::Handles, index))?;
            }
            if !agree(&once[position], &again[position]) {
                changing += u64::from(!self.retry(index, &mut once[position])?);
            }
            let before = old.get(position).unwrap_or(none);
            if !is_equal(&once[position], before) {
                tell(index - 1, &once[position]);
            }
        }
        Ok(changing)
    }

    /// Rows 1 to the high-water mark; row 0 is never used.
    fn row_count(&self) -> Result<usize> {
        Ok((self.geometry.used(self.file, Part::Handles)? as usize).saturating_sub(1))
    }

    /// Fill `rows` from index `first` on. Returns how many would not hold still.
    fn read_settled(
        &self,
        first: u32,
        rows: &mut [HandleSlot],
        again: &mut [HandleSlot],
    ) -> Result<u64> {
        let again = &mut again[..rows.len()];
        let offset = self.geometry.offset(Part::Handles, first);
        self.file.read(offset, rows)?;
        self.file.read(offset, again)?;
        let mut changing = 0;
        for (position, (row, twin)) in rows.iter_mut().zip(again.iter()).enumerate() {
            if !agree(row, twin) {
                changing += u64::from(!self.retry(first + position as u32, row)?);
            }
        }
        Ok(changing)
    }

    /// Read one row until it holds still; when it does not, leave it marked `BUSY` and answer
    /// false.
    fn retry(&self, index: u32, row: &mut HandleSlot) -> Result<bool> {
        let offset = self.geometry.offset(Part::Handles, index);
        for _ in 0..TRIES {
            *row = self.file.read_one(offset)?;
            let twin = self.file.read_one(offset)?;
            if agree(row, &twin) {
                return Ok(true);
            }
        }
        row.reference_state |= BUSY;
        Ok(false)
    }
}

/// Memory of a sweep.
struct Sweep {
    once: Box<[HandleSlot]>,
    again: Box<[HandleSlot]>,
    /// Positions of the rows that a second read has to confirm.
    open: Vec<usize>,
    none: HandleSlot,
}

impl Sweep {
    fn new() -> Self {
        let rows = || vec![zeroed::<HandleSlot>(); SWEEP].into_boxed_slice();
        Self { once: rows(), again: rows(), open: Vec::new(), none: zeroed() }
    }
}

fn is_free(slot: &HandleSlot) -> bool {
    slot.reference_state == ReferenceState::Free as u8
}

fn agree(one: &HandleSlot, other: &HandleSlot) -> bool {
    if one.reference_state & BUSY != 0 {
        return false;
    }
    if one.outer_strong != OUTER_UNKNOWN && one.strong != other.strong {
        return false;
    }
    let (one, other) = (words(one), words(other));
    (0..one.len()).all(|word| word == COUNT_WORD || one[word] == other[word])
}

fn bytes(rows: &[HandleSlot]) -> &[u8] {
    // SAFETY: a row is 64 bytes without padding (asserted in the layout), all of them initialised.
    unsafe { std::slice::from_raw_parts(rows.as_ptr().cast(), std::mem::size_of_val(rows)) }
}

fn is_equal(one: &HandleSlot, other: &HandleSlot) -> bool {
    // without a branch a word: the compiler compares with wide registers and calls no function
    let (one, other) = (words(one), words(other));
    (0..one.len()).fold(0, |found, word| found | (one[word] ^ other[word])) == 0
}

fn words(slot: &HandleSlot) -> [u64; 8] {
    // SAFETY: both are 64 bytes (asserted in the layout), the slot has no padding, and any bytes
    // are valid integers.
    unsafe { std::mem::transmute(*slot) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live() -> HandleSlot {
        HandleSlot {
            reference_state: ReferenceState::Live as u8,
            generation: 3,
            address: 0x40,
            strong: 1,
            outer_strong: OUTER_UNKNOWN,
            ..zeroed()
        }
    }

    #[test]
    fn two_reads_agree_when_only_the_counts_differ() {
        assert!(agree(&live(), &live()));
        assert!(agree(&live(), &HandleSlot { strong: 2, weak: 1, in_flight: 1, ..live() }));
    }

    #[test]
    fn two_reads_with_an_outer_count_agree_only_on_one_pass_of_the_sampler() {
        let outer = HandleSlot { outer_strong: 2, ..live() };
        assert!(agree(&outer, &HandleSlot { in_flight: 1, ..outer }));
        assert!(!agree(&outer, &HandleSlot { strong: 2, ..outer }));
        assert!(!agree(&outer, &HandleSlot { outer_strong: 1, ..outer }));
        assert!(!agree(&outer, &live()));
        assert!(!agree(&live(), &outer));
    }

    #[test]
    fn two_reads_disagree_when_any_other_word_differs() {
        let others = [
            HandleSlot { generation: 4, ..live() },
            HandleSlot { resource_state: 1, ..live() },
            HandleSlot { address: 0x80, ..live() },
            HandleSlot { created_at_ticks: 1, ..live() },
            HandleSlot { changed_at_ticks: 1, ..live() },
            HandleSlot { requester_thread: 1, ..live() },
            HandleSlot { last_site: 1, ..live() },
            HandleSlot { data: 1, ..live() },
        ];
        assert!(others.iter().all(|other| !agree(&live(), other)));
    }

    #[test]
    fn a_row_that_is_being_written_agrees_with_nothing() {
        let busy = HandleSlot { reference_state: BUSY | ReferenceState::Live as u8, ..live() };
        assert!(!agree(&busy, &busy));
    }
}
