//! Which objects of the host language an object leads to, found by reading its memory: for objects
//! that cannot be asked.
//!
//! A conservative scan, as of a garbage collector that knows no types: from the object's heap chunk
//! (glibc's) along every word that could be a pointer to another chunk. It looks for a pair *(heap
//! pointer, vtable)* whose vtable is that of a value of 8 bytes and whose pointer leads to
//! `{strong, weak, handle}` or to a box of `{handle}` alone, with a handle that the host language
//! knows. All memory is read with `process_vm_readv`, so a stale address is no crash. Other threads
//! may change the memory during the scan: the answer holds for a moment, and says *may* rather than
//! *does*.

use std::collections::{HashSet, VecDeque};
use std::ops::Range;

use platform::maps::{Mapping, MemoryMap};
use platform::memory::read_own_words;

/// Bytes of a chunk that are read at most.
const CHUNK_LIMIT: usize = 64 << 10;
/// Chunks of one scan.
const CHUNKS_LIMIT: usize = 4096;
/// Pointers from the object to the handle.
const DEPTH_LIMIT: u32 = 8;
/// The smallest chunk of glibc, which holds three words.
const SMALLEST_CHUNK: u64 = 32;
/// Larger counts are none.
const COUNT_LIMIT: u64 = 1 << 32;
/// A handle's size and alignment, as a vtable has them.
const HANDLE_LAYOUT: (u64, u64) = (8, 8);
/// Pointers followed from an object: to itself, a box or vector in it, and the contents of that.
const NEAR: u32 = 3;
/// Chunks that are looked at for that.
const NEAR_CHUNKS: usize = 256;
const WORD: usize = 8;

/// A handle that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct ScannedHandle {
    /// The handle, as the host language holds it.
    pub handle: u64,
    /// Pointers from the object to it.
    pub hops: u32,
    /// Not used.
    pub reserved: u32,
}

/// Address ranges of the heap and of files in this process.
pub struct Maps {
    heap: Vec<Range<u64>>,
    files: Vec<Range<u64>>,
}

impl Maps {
    /// As it is now.
    pub fn of_this_process() -> Self {
        let mut maps = Self { heap: Vec::new(), files: Vec::new() };
        for mapping in MemoryMap::of_this_process().iter() {
            maps.add(&mapping);
        }
        maps
    }

    fn add(&mut self, mapping: &Mapping<'_>) {
        let range = mapping.low..mapping.high;
        let is_heap = mapping.path.is_empty() || mapping.path == b"[heap]";
        if mapping.access.starts_with(b"rw") && is_heap {
            self.heap.push(range);
        } else if mapping.access[0] == b'r' && mapping.path.starts_with(b"/") {
            self.files.push(range);
        }
    }

    fn is_heap(&self, address: u64) -> bool {
        address % 16 == 0 && is_in(&self.heap, address)
    }
}

/// The ranges are in ascending order, as the kernel lists them.
fn is_in(ranges: &[Range<u64>], address: u64) -> bool {
    let at = ranges.partition_point(|range| range.end <= address);
    ranges.get(at).is_some_and(|range| range.contains(&address))
}

/// The words at an address; empty: not readable.
fn words_at(address: u64, count: usize) -> Vec<u64> {
    let mut words = vec![0_u64; count];
    let read = read_own_words(address, &mut words);
    words.truncate(read);
    words
}

/// The word at an address; `None`: not readable.
pub fn word_at(address: u64) -> Option<u64> {
    words_at(address, 1).first().copied()
}

/// The words of the chunk whose user part begins at an address; empty: no chunk is found there.
fn chunk_at(address: u64) -> Vec<u64> {
    let size = words_at(address - WORD as u64, 1).first().map_or(0, |header| header & !7);
    if size < SMALLEST_CHUNK || size % 16 != 0 || size > 1 << 30 {
        return Vec::new();
    }
    words_at(address, (size as usize - WORD).min(CHUNK_LIMIT) / WORD)
}

/// Whether a vtable is that of a handle: drop function, size, alignment.
fn is_handle_vtable(maps: &Maps, address: u64) -> bool {
    if address % WORD as u64 != 0 || !is_in(&maps.files, address) {
        return false;
    }
    let vtable = words_at(address, 3);
    vtable.len() == 3
        && (vtable[1], vtable[2]) == HANDLE_LAYOUT
        && (vtable[0] == 0 || is_in(&maps.files, vtable[0]))
}

/// The handle behind a pointer to a trait object: in an `Arc`, or in a box.
fn handle_behind(pointer: u64, handles: &HashSet<u64>) -> Option<u64> {
    let chunk = chunk_at(pointer);
    let is_count = |count: u64| count > 0 && count < COUNT_LIMIT;
    match *chunk.as_slice() {
        [strong, weak, handle, ..]
            if is_count(strong) && is_count(weak) && handles.contains(&handle) =>
        {
            Some(handle)
        }
        [handle, _, _] if handles.contains(&handle) => Some(handle),
        _ => None,
    }
}

/// Which of `handles` the object whose allocation is at `address` may lead to, each with the fewest
/// pointers on the way.
pub fn scan(address: u64, handles: &[u64]) -> Vec<ScannedHandle> {
    let (maps, wanted) = (Maps::of_this_process(), handles.iter().copied().collect::<HashSet<_>>());
    let mut found: Vec<ScannedHandle> = Vec::new();
    let (mut waiting, mut seen) = (VecDeque::from([(address, 0)]), HashSet::from([address]));
    if !maps.is_heap(address) || wanted.is_empty() {
        return found;
    }
    while let Some((at, hops)) = waiting.pop_front() {
        let chunk = chunk_at(at);
        for (place, &word) in chunk.iter().enumerate() {
            if !maps.is_heap(word) {
                continue;
            }
            let vtable = chunk.get(place + 1).copied().unwrap_or(0);
            let handle =
                if is_handle_vtable(&maps, vtable) { handle_behind(word, &wanted) } else { None };
            if let Some(handle) = handle {
                if !found.iter().any(|known| known.handle == handle) {
                    found.push(ScannedHandle { handle, hops: hops + 1, reserved: 0 });
                }
            } else if hops < DEPTH_LIMIT && seen.len() < CHUNKS_LIMIT && seen.insert(word) {
                waiting.push_back((word, hops + 1));
            }
        }
    }
    found
}

/// How many pointers the object at `from` is away from `target`, the allocation of another; None:
/// too many, or it does not lead there.
pub fn leads_to(maps: &Maps, from: u64, target: u64) -> Option<u32> {
    let (mut waiting, mut seen) = (VecDeque::from([(from, 0)]), HashSet::from([from]));
    if !maps.is_heap(from) {
        return None;
    }
    while let Some((at, hops)) = waiting.pop_front() {
        for word in chunk_at(at) {
            if word == target {
                return Some(hops + 1);
            }
            if hops + 1 < NEAR
                && seen.len() < NEAR_CHUNKS
                && maps.is_heap(word)
                && seen.insert(word)
            {
                waiting.push_back((word, hops + 1));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    trait Callback: Send + Sync {
        fn handle(&self) -> u64;
    }

    struct Foreign {
        handle: u64,
    }

    impl Callback for Foreign {
        fn handle(&self) -> u64 {
            self.handle
        }
    }

    struct Holder {
        number: u64,
        inner: Box<(u64, Arc<dyn Callback>)>,
    }

    fn holder(handle: u64) -> Arc<Holder> {
        Arc::new(Holder { number: 9, inner: Box::new((1, Arc::new(Foreign { handle }))) })
    }

    fn address<T>(object: &Arc<T>) -> u64 {
        Arc::as_ptr(object) as u64 - 16
    }

    #[test]
    fn a_handle_behind_a_trait_object_is_found_with_the_way_to_it() {
        let object = holder(0x5EED_0003);
        assert_eq!((object.number, object.inner.0, object.inner.1.handle()), (9, 1, 0x5EED_0003));
        let found = scan(address(&object), &[0x5EED_0001, 0x5EED_0003]);
        assert_eq!(found, [ScannedHandle { handle: 0x5EED_0003, hops: 2, reserved: 0 }]);
    }

    #[test]
    fn a_boxed_callback_is_found_too() {
        let boxed: Box<dyn Callback> = Box::new(Foreign { handle: 0x5EED_0005 });
        let object = Arc::new((7_u64, boxed));
        assert_eq!(object.1.handle(), 0x5EED_0005);
        assert_eq!(scan(address(&object), &[0x5EED_0005]).len(), 1);
    }

    #[test]
    fn a_number_that_only_looks_like_a_handle_is_none() {
        let object = Arc::new((3_u64, Box::new([3_u64, 3, 3, 5])));
        assert_eq!(scan(address(&object), &[3, 5]), []);
    }

    #[test]
    fn handles_that_nobody_knows_are_not_found() {
        assert_eq!(scan(address(&holder(0x5EED_0007)), &[0x5EED_0009]), []);
        assert_eq!(scan(address(&holder(0x5EED_0007)), &[]), []);
    }

    #[test]
    fn an_object_leads_to_those_that_it_holds_and_to_no_others() {
        let (held, other) = (Arc::new(1_u64), Arc::new(2_u64));
        let holder = Arc::new(Box::new(vec![(7_u64, Arc::clone(&held))]));
        let maps = Maps::of_this_process();
        assert_eq!(leads_to(&maps, address(&holder), address(&held)), Some(3));
        assert_eq!(leads_to(&maps, address(&holder), address(&other)), None);
        assert_eq!(leads_to(&maps, 16, address(&held)), None);
    }

    #[test]
    fn addresses_that_are_none_are_no_crash() {
        for address in [0, 16, 0x1000, !15, scan as *const () as u64 & !15] {
            assert_eq!(scan(address, &[3]), []);
        }
    }

    #[test]
    fn lines_of_the_kernel_s_map_are_told_apart() {
        let mut maps = Maps { heap: Vec::new(), files: Vec::new() };
        let text = "1000-2000 rw-p 0 00:00 0\n2000-3000 rw-p 0 00:00 0 [heap]\n\
            4000-5000 r--p 0 08:01 5 /lib/x.so\nnonsense\n";
        for mapping in MemoryMap::from(text.as_bytes()).iter() {
            maps.add(&mapping);
        }
        assert_eq!(maps.heap, [0x1000..0x2000, 0x2000..0x3000]);
        assert!(
            is_in(&maps.files, 0x4000)
                && !is_in(&maps.files, 0x5000)
                && !is_in(&maps.files, 0x2000)
        );
    }
}
