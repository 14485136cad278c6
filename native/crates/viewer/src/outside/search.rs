//! Finds words in another process's memory: every object of CPython names its type in its second
//! word.
//!
//! Pages that are not in memory are left alone: reading them would bring them in, and make the
//! target larger or the machine slower.

use std::io;

use platform::memory::{copy, Pages, Run, Span, PAGE};

/// Read at once: the target's memory map is held for reading so long, some hundred microseconds.
const CHUNK: u64 = 1 << 20;
/// Objects are aligned to this, and their type is the second word.
const STEP: usize = 16;
const WORD_AT: usize = 8;
/// Bits of the table that excludes most words that are not wanted.
const TABLE_BITS: u32 = 16;

/// A word that was found.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hit {
    /// Address of the word.
    pub at: u64,
    /// The word itself.
    pub word: u64,
}

/// The extent of a search.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Searched {
    /// Hits that there are; as many as fit were handed out.
    pub hits: u64,
    /// Bytes that were read.
    pub read_bytes: u64,
    /// Bytes that lie in swap, and were left there.
    pub swapped_bytes: u64,
    /// Bytes that could not be read.
    pub unreadable_bytes: u64,
}

/// Looks through the addresses from `low` up to `high` for any of `wanted`.
///
/// # Errors
/// The system's: the process has ended, or may not be read.
pub fn search(
    pid: u32,
    low: u64,
    high: u64,
    wanted: &[u64],
    out: &mut [Hit],
) -> io::Result<Searched> {
    let (wanted, mut hits) = (Wanted::new(wanted), 0);
    let mut searched = walk(pid, low, high, |address, bytes| {
        wanted.look(address, bytes, out, &mut hits);
    })?;
    searched.hits = hits;
    Ok(searched)
}

/// Shows the memory from `low` up to `high` to `look`, in pieces with their addresses.
pub(super) fn walk(
    pid: u32,
    low: u64,
    high: u64,
    mut look: impl FnMut(u64, &[u8]),
) -> io::Result<Searched> {
    let pages = Pages::open(pid);
    let mut buffer = vec![0_u8; CHUNK as usize];
    let mut searched = Searched::default();
    let mut at = low & !(PAGE - 1);
    while at < high {
        let upto = high.min(at + CHUNK);
        let runs = pages.present(at, upto, &mut searched.swapped_bytes)?;
        look_at(pid, &runs, &mut look, &mut buffer, &mut searched)?;
        at = upto;
    }
    Ok(searched)
}

/// Reads runs and shows their bytes; a run that cannot be read is counted and skipped.
fn look_at(
    pid: u32,
    runs: &[Run],
    look: &mut impl FnMut(u64, &[u8]),
    buffer: &mut [u8],
    searched: &mut Searched,
) -> io::Result<()> {
    let mut next = 0;
    while next < runs.len() {
        let ranges: Vec<Span> =
            runs[next..].iter().map(|&(address, length)| Span::new(address, length)).collect();
        let size: usize = runs[next..].iter().map(|run| run.1).sum();
        let mut left = copy(pid, &ranges, &mut buffer[..size])?;
        let mut start = 0;
        for &(address, length) in &runs[next..] {
            let read = length.min(left);
            look(address, &buffer[start..start + read]);
            searched.read_bytes += read as u64;
            searched.unreadable_bytes += (length - read) as u64;
            start += read;
            left -= read;
            next += 1;
            if read < length {
                break; // the remaining runs were not tried
            }
        }
    }
    Ok(())
}

/// The words to find.
struct Wanted {
    sorted: Vec<u64>,
    table: Vec<u64>,
}

impl Wanted {
    fn new(words: &[u64]) -> Self {
        let mut sorted = words.to_vec();
        sorted.sort_unstable();
        let mut table = vec![0; 1 << (TABLE_BITS - 6)];
        for &word in &sorted {
            let bit = bit_of(word);
            table[bit >> 6] |= 1 << (bit & 63);
        }
        Self { sorted, table }
    }

    /// Hands out the hits among the words of some bytes; `address` is that of the first.
    fn look(&self, address: u64, bytes: &[u8], out: &mut [Hit], hits: &mut u64) {
        for (step, chunk) in bytes.chunks_exact(STEP).enumerate() {
            let word = u64::from_le_bytes([
                chunk[WORD_AT],
                chunk[WORD_AT + 1],
                chunk[WORD_AT + 2],
                chunk[WORD_AT + 3],
                chunk[WORD_AT + 4],
                chunk[WORD_AT + 5],
                chunk[WORD_AT + 6],
                chunk[WORD_AT + 7],
            ]);
            let bit = bit_of(word);
            if self.table[bit >> 6] & (1 << (bit & 63)) != 0
                && self.sorted.binary_search(&word).is_ok()
            {
                if let Some(place) = out.get_mut(*hits as usize) {
                    *place = Hit { at: address + (step * STEP + WORD_AT) as u64, word };
                }
                *hits += 1;
            }
        }
    }
}

/// Index of a word in the table: its lowest four bits are the same for all types.
fn bit_of(word: u64) -> usize {
    ((word >> 4).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - TABLE_BITS)) as usize
}

#[cfg(test)]
mod tests {
    use std::ptr::NonNull;

    use super::*;

    /// Memory of our own, aligned to a page, all of it present but for the pages of `absent`.
    struct Memory {
        start: NonNull<u8>,
        length: usize,
    }

    impl Memory {
        fn new(pages: usize) -> Self {
            let length = pages * PAGE as usize;
            Self { start: platform::map(None, length).expect("address space"), length }
        }

        fn low(&self) -> u64 {
            self.start.as_ptr() as u64
        }

        fn high(&self) -> u64 {
            self.low() + self.length as u64
        }

        fn put(&self, offset: usize, word: u64) {
            assert!(offset + 8 <= self.length && offset % 8 == 0);
            // SAFETY: within the mapping, aligned.
            unsafe { self.start.add(offset).cast::<u64>().write(word) };
        }
    }

    impl Drop for Memory {
        fn drop(&mut self) {
            // SAFETY: mapped by `new`, and no code uses it any more.
            unsafe { platform::unmap(self.start, self.length) };
        }
    }

    const TYPE: u64 = 0x7f12_3456_7890;
    const OTHER: u64 = 0x7f12_3456_9000;

    fn found(memory: &Memory, room: usize) -> (Vec<Hit>, Searched) {
        let mut out = vec![Hit::default(); room];
        let searched =
            search(std::process::id(), memory.low(), memory.high(), &[OTHER, TYPE], &mut out)
                .expect("our own memory");
        out.truncate(searched.hits.min(room as u64) as usize);
        (out, searched)
    }

    #[test]
    fn words_where_an_object_has_its_type_are_found_and_others_are_not() {
        let memory = Memory::new(3 * CHUNK as usize / PAGE as usize);
        let places = [8, 24, CHUNK as usize - 8, 2 * CHUNK as usize + 40];
        for (which, &place) in places.iter().enumerate() {
            memory.put(place, if which == 1 { OTHER } else { TYPE });
        }
        memory.put(32, TYPE); // the place of an object's count
        memory.put(56, TYPE + 16);
        let (hits, searched) = found(&memory, 10);
        let expected: Vec<u64> = places.iter().map(|&place| memory.low() + place as u64).collect();
        assert_eq!(hits.iter().map(|hit| hit.at).collect::<Vec<_>>(), expected);
        assert_eq!(hits.iter().map(|hit| hit.word).collect::<Vec<_>>(), [TYPE, OTHER, TYPE, TYPE]);
        assert_eq!((searched.hits, searched.unreadable_bytes), (4, 0));
    }

    #[test]
    fn pages_that_nobody_touched_are_not_read() {
        let memory = Memory::new(64);
        memory.put(8, TYPE);
        memory.put(40 * PAGE as usize + 8, TYPE);
        let (hits, searched) = found(&memory, 10);
        assert_eq!(hits.len(), 2);
        assert_eq!(searched.read_bytes, 2 * PAGE);
    }

    #[test]
    fn more_hits_than_fit_are_counted() {
        let memory = Memory::new(1);
        for place in (8..PAGE as usize).step_by(STEP) {
            memory.put(place, TYPE);
        }
        let (hits, searched) = found(&memory, 10);
        assert_eq!((hits.len(), searched.hits), (10, PAGE / STEP as u64));
    }

    #[test]
    fn what_was_unmapped_meanwhile_is_counted_and_what_follows_is_read() {
        let memory = Memory::new(4);
        memory.put(8, TYPE);
        memory.put(3 * PAGE as usize + 8, TYPE);
        let runs = [
            (memory.low(), PAGE as usize),
            (8 * PAGE, PAGE as usize),
            (memory.low() + 3 * PAGE, PAGE as usize),
        ];
        let (mut out, mut searched) = ([Hit::default(); 4], Searched::default());
        let mut buffer = vec![0; CHUNK as usize];
        let (wanted, mut hits) = (Wanted::new(&[TYPE]), 0);
        let mut look = |address, bytes: &[u8]| wanted.look(address, bytes, &mut out, &mut hits);
        look_at(std::process::id(), &runs, &mut look, &mut buffer, &mut searched)
            .expect("our own memory");
        searched.hits = hits;
        assert_eq!(
            (searched.hits, searched.unreadable_bytes, searched.read_bytes),
            (2, PAGE, 2 * PAGE)
        );
    }
}
