//! The living instances of given classes, found by searching this process's memory for the word in
//! which each object names its class.
//!
//! Objects that the collector does not know stand in no list. The search copies memory piece by
//! piece with `process_vm_readv`, without the interpreter's lock, and notes the places that look
//! like objects. Each is judged later, with the lock: it must still name its class, have references
//! and begin a block that an allocator has given out. Pages that are not in memory are left out, so
//! the search takes no memory and swaps nothing in.

mod blocks;

use std::ops::Range;

use platform::maps::MemoryMap;
use platform::memory::{copy_own, Pages, Span};

use blocks::{is_linked, is_object, word_at};

/// Bytes that one call copies before it returns; about 2 ms.
const STEP_BYTES: usize = 16 << 20;
/// Bytes whose pages are asked for at once, and how many copied bytes take as long.
const WINDOW_BYTES: usize = 64 << 20;
const WINDOW_COST_BYTES: usize = 2 << 20;
/// Bytes copied at once.
const PIECE_BYTES: usize = 1 << 20;
const WORD: usize = size_of::<u64>();
/// Larger numbers are no reference counts of objects that end.
const MOST_REFERENCES: u64 = 1 << 31;
/// Objects begin at multiples of this.
const ALIGNMENT: u64 = 16;
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
const FILTER_BITS: u32 = 16;

/// A class whose instances are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Wanted {
    /// Address of its type.
    pub class: u64,
    /// Bytes of an instance from its address on.
    pub size_bytes: u64,
    /// 1: the collector links the instances.
    pub is_collected: u64,
    /// 1: an instance may be longer than that.
    pub may_be_longer: u64,
}

/// A search through the memory as it is mapped when the search begins.
pub struct Search {
    wanted: Vec<Wanted>,
    /// A bit for each hash of a wanted address: most words are sorted out by it.
    filter: Vec<u64>,
    /// Memory whose pages were not asked for yet; `None`: the map was not read yet.
    windows: Option<Vec<Range<u64>>>,
    pages: Pages,
    /// Pages that are in memory and were not read yet.
    runs: Vec<Range<u64>>,
    /// Places that look like objects, to be judged.
    candidates: Vec<u64>,
    buffer: Vec<u8>,
    /// Some memory was read.
    has_seen: bool,
}

impl Search {
    /// Reads nothing yet.
    pub fn new(classes: &[Wanted]) -> Self {
        let mut wanted = classes.to_vec();
        wanted.sort_unstable_by_key(|each| each.class);
        let mut filter = vec![0; 1 << (FILTER_BITS - 6)];
        for each in &wanted {
            let bit = hash(each.class);
            filter[bit >> 6] |= 1_u64 << (bit & 63);
        }
        let windows = wanted.is_empty().then(Vec::new);
        Self {
            wanted,
            filter,
            windows,
            pages: Pages::open(std::process::id()),
            runs: Vec::new(),
            candidates: Vec::new(),
            buffer: vec![0; PIECE_BYTES],
            has_seen: false,
        }
    }

    /// Copies the next pieces and notes the places in them that look like objects. False: there are
    /// no more. Needs no lock.
    pub fn read(&mut self) -> bool {
        let mut left = STEP_BYTES;
        while left > 0 {
            let Some(run) = self.runs.pop() else {
                let Some(window) = self.windows.get_or_insert_with(windows).pop() else {
                    return false;
                };
                self.runs = present(&self.pages, &window);
                left = left.saturating_sub(WINDOW_COST_BYTES);
                continue;
            };
            let length = usize::try_from(run.end - run.start).unwrap_or(usize::MAX);
            let length = length.min(PIECE_BYTES).min(left);
            let read = copy_own(&[Span::new(run.start, length)], &mut self.buffer[..length]);
            self.has_seen |= read > 0;
            self.note(run.start, read);
            let next = run.start + length as u64;
            if next < run.end {
                self.runs.push(next..run.end);
            }
            left -= length;
        }
        true
    }

    /// Notes places among the copied bytes, which lie at `start`, a multiple of [`ALIGNMENT`]: so an
    /// object's first two words lie together.
    fn note(&mut self, start: u64, bytes: usize) {
        let own = self.buffer.as_ptr_range();
        let own = own.start as u64..own.end as u64;
        for (index, pair) in self.buffer[..bytes].chunks_exact(ALIGNMENT as usize).enumerate() {
            let (references, class) = pair.split_at(WORD);
            let class = u64::from_le_bytes(class.try_into().unwrap_or_default());
            let bit = hash(class);
            if self.filter[bit >> 6] & 1 << (bit & 63) == 0 {
                continue;
            }
            let references = u64::from_le_bytes(references.try_into().unwrap_or_default());
            let object = start + index as u64 * ALIGNMENT;
            let is_counted = references > 0 && references < MOST_REFERENCES;
            if is_counted && !own.contains(&object) && self.find(class).is_some() {
                self.candidates.push(object);
            }
        }
    }

    /// The system has let the search read nothing so far.
    pub fn is_blind(&self) -> bool {
        !self.has_seen
    }

    /// Places that were noted and not judged.
    pub fn waiting(&self) -> usize {
        self.candidates.len()
    }

    /// Judges up to `most` of the places that were noted: the living objects among them, each with
    /// its class. The interpreter's lock must be held; the objects live as long as it is.
    pub fn judge(&mut self, most: usize) -> Vec<(u64, u64)> {
        let start = self.candidates.len() - most.min(self.candidates.len());
        let judged: Vec<u64> = self.candidates.drain(start..).collect();
        judged.into_iter().filter_map(|object| Some((object, self.class_of(object)?))).collect()
    }

    fn class_of(&self, object: u64) -> Option<u64> {
        let class = self.find(word_at(object + WORD as u64)?)?;
        let references = word_at(object)?;
        let is_counted = references > 0 && references < MOST_REFERENCES;
        // a tuple that begins with a class looks like an instance with room before its address, so
        // the collector's links tell where there are links
        let is_alive = is_counted
            && if class.is_collected != 0 { is_linked(object) } else { is_object(object, class) };
        is_alive.then_some(class.class)
    }

    fn find(&self, class: u64) -> Option<&Wanted> {
        let at = self.wanted.binary_search_by_key(&class, |each| each.class).ok()?;
        self.wanted.get(at)
    }
}

fn hash(word: u64) -> usize {
    (word.wrapping_mul(SPREAD) >> (64 - FILTER_BITS)) as usize
}

/// The heap as it is mapped now, in windows.
fn windows() -> Vec<Range<u64>> {
    let mut found = Vec::new();
    for mapping in MemoryMap::of_this_process().iter() {
        let is_heap = mapping.path.is_empty()
            || mapping.path == b"[heap]"
            || mapping.path.starts_with(b"[anon");
        if mapping.access.starts_with(b"rw") && is_heap {
            let starts = (mapping.low..mapping.high).step_by(WINDOW_BYTES);
            let end = |start: u64| mapping.high.min(start + WINDOW_BYTES as u64);
            found.extend(starts.map(|start| start..end(start)));
        }
    }
    found
}

/// The pages of a window that are in memory; all of them where the system does not say.
fn present(pages: &Pages, window: &Range<u64>) -> Vec<Range<u64>> {
    let mut swapped = 0;
    let runs = pages
        .present(window.start, window.end, &mut swapped)
        .unwrap_or_else(|_| vec![(window.start, (window.end - window.start) as usize)]);
    runs.into_iter().map(|(low, length)| low..low + length as u64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLASS: u64 = 0x7A11_5EA2_C1A5_5000;

    fn wanted() -> Wanted {
        Wanted { class: CLASS, size_bytes: 600, is_collected: 0, may_be_longer: 0 }
    }

    /// An object in a chunk of the C library, as large objects are.
    fn object(references: u64) -> Vec<u64> {
        let mut words = vec![0; 75];
        (words[0], words[1]) = (references, CLASS);
        words
    }

    fn found() -> Vec<u64> {
        let mut search = Search::new(&[wanted()]);
        assert!(search.is_blind());
        let mut all = Vec::new();
        loop {
            let more = search.read();
            while search.waiting() > 0 {
                all.extend(search.judge(3).into_iter().map(|(object, class)| {
                    assert_eq!(class, CLASS);
                    object
                }));
            }
            if !more {
                assert!(!search.is_blind());
                all.sort_unstable();
                all.dedup();
                return all;
            }
        }
    }

    #[test]
    fn living_objects_are_found_and_those_without_references_or_a_block_are_not() {
        let (one, other, ended) = (object(1), object(7), object(0));
        let inner = {
            let mut words = object(1);
            (words[0], words[1]) = (0, 0);
            (words[20], words[21]) = (1, CLASS);
            words
        };
        let places = found();
        for living in [&one, &other] {
            assert!(places.contains(&(living.as_ptr() as u64)));
        }
        assert!(!places.contains(&(ended.as_ptr() as u64)));
        assert!(!places.contains(&(inner[20..].as_ptr() as u64)));
    }

    #[test]
    fn a_search_for_nothing_reads_nothing() {
        let mut search = Search::new(&[]);
        assert!(!search.read());
        assert_eq!(search.waiting(), 0);
    }
}
