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
use super::Result;
use segment::layout::{HandleSlot, ReferenceState, BUSY, OUTER_UNKNOWN};

/// Rows read at once; two such buffers lie on the stack (32 KiB).
const CHUNK: usize = 256;
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
