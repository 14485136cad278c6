//! Whether an address begins a block that an allocator has given out, as its own records tell:
//! a pool of the interpreter's allocator (CPython from 3.10 on), or a chunk of glibc.
//!
//! The viewer's look from outside asks the same (`inspector/attach/outside/blocks.py`). Memory is
//! copied by the system, so an address that is none is an answer, never a fault.

use platform::memory::read_own_words;

use super::{Wanted, ALIGNMENT};

/// Larger blocks come from the C library.
const LARGEST_SMALL: u64 = 512;
const POOL_BYTES: u64 = 16 << 10;
const POOL_HEAD_BYTES: u64 = 48;
const POOL_CLASSES: u64 = 32;
/// Words of a pool's head: blocks in use; size class; the end of the blocks given out so far.
const USED: usize = 0;
const SIZE_CLASS: usize = 4;
const ENDS: usize = 5;
/// Bytes before the user's part of a chunk.
const CHUNK_HEAD_BYTES: u64 = 8;
const CHUNK_FLAGS: u64 = 7;
const CHUNK_IS_MAPPED: u64 = 2;
const BEFORE_IS_USED: u64 = 1;
const SMALLEST_CHUNK: u64 = 32;
const LARGEST_CHUNK: u64 = 1 << 40;
/// Bytes that a chunk may be longer than was asked for.
const CHUNK_SPARE: u64 = 48;
const PAGE: u64 = 4096;
/// Bytes before a block of the debug allocator, and the guarding bytes among them.
const DEBUG_HEAD_BYTES: u64 = 16;
const DEBUG_GUARD: u64 = 0x00FD_FDFD_FDFD_FDFD;
/// Bytes from an object's links to the object, and the links' flags.
const LINKS_BYTES: u64 = 16;
const LINK_FLAGS: u64 = 3;

/// The word of this process at an address; `None`: there is none.
pub fn word_at(address: u64) -> Option<u64> {
    let mut word = [0];
    (read_own_words(address, &mut word) == 1).then_some(word[0])
}

/// Whether an instance of this class, which has no links, would begin a block in use.
pub fn is_object(object: u64, class: &Wanted) -> bool {
    let (bytes, may_be_longer) = (class.size_bytes, class.may_be_longer != 0);
    bytes <= LARGEST_SMALL && is_in_pool(object, bytes, may_be_longer)
        || is_chunk(object, bytes, may_be_longer)
        || is_debug_block(object, bytes, may_be_longer)
}

/// A block of CPython's debug allocator: before it lie its length, the first byte first, the
/// allocator's letter and seven guarding bytes.
fn is_debug_block(start: u64, bytes: u64, may_be_longer: bool) -> bool {
    let mut head = [0; 2];
    if read_own_words(start.wrapping_sub(DEBUG_HEAD_BYTES), &mut head) < head.len() {
        return false;
    }
    let (length, guard) = (head[0].swap_bytes(), head[1]);
    guard >> 8 == DEBUG_GUARD
        && (guard as u8).is_ascii_lowercase()
        && (length == bytes || may_be_longer && length > bytes && length < LARGEST_CHUNK)
}

fn is_in_pool(start: u64, bytes: u64, may_be_longer: bool) -> bool {
    let pool = start & !(POOL_BYTES - 1);
    let mut head = [0; POOL_HEAD_BYTES as usize / size_of::<u64>()];
    if read_own_words(pool, &mut head) < head.len() {
        return false;
    }
    let low = |word: u64| word & u64::from(u32::MAX);
    let (used, size_class, ends) = (low(head[USED]), head[SIZE_CLASS] >> 32, low(head[ENDS]));
    let block = (size_class + 1) * ALIGNMENT;
    let offset = start - pool;
    size_class < POOL_CLASSES
        && (1..=POOL_BYTES / ALIGNMENT).contains(&used)
        && block >= bytes
        && (may_be_longer || block < bytes + ALIGNMENT)
        && offset >= POOL_HEAD_BYTES
        && offset < ends
        && ends <= POOL_BYTES
        && (offset - POOL_HEAD_BYTES) % block == 0
}

fn is_chunk(start: u64, bytes: u64, may_be_longer: bool) -> bool {
    let Some(head) = word_at(start.wrapping_sub(CHUNK_HEAD_BYTES)) else { return false };
    let (length, is_mapped) = (head & !CHUNK_FLAGS, head & CHUNK_IS_MAPPED != 0);
    let least = (bytes + CHUNK_HEAD_BYTES).max(SMALLEST_CHUNK);
    let spare = if is_mapped { 2 * PAGE } else { CHUNK_SPARE };
    let most = if may_be_longer { LARGEST_CHUNK } else { least + spare };
    let unit = if is_mapped { PAGE } else { ALIGNMENT };
    if length < least || length > most || length % unit != 0 {
        return false;
    }
    let following = start - CHUNK_HEAD_BYTES + length;
    is_mapped
        || word_at(following).is_some_and(|next| {
            next & BEFORE_IS_USED != 0 && (ALIGNMENT..LARGEST_CHUNK).contains(&next)
        })
}

/// Whether the collector's links lead to an object and back from both neighbours.
pub fn is_linked(object: u64) -> bool {
    let links = object.wrapping_sub(LINKS_BYTES);
    let mut words = [0; 2];
    if read_own_words(links, &mut words) < 2 {
        return false;
    }
    let [next, before] = words.map(|word| word & !LINK_FLAGS);
    let leads_back = |place: u64| word_at(place).is_some_and(|word| word & !LINK_FLAGS == links);
    next != 0 && before != 0 && leads_back(next + 8) && leads_back(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(size_bytes: u64) -> Wanted {
        Wanted { class: 0, size_bytes, is_collected: 0, may_be_longer: 0 }
    }

    /// A pool of blocks of 64 bytes, five of which it has given out.
    fn pool() -> (Vec<u64>, u64) {
        let words = vec![0_u64; 2 * POOL_BYTES as usize / 8];
        let start = (words.as_ptr() as u64).next_multiple_of(POOL_BYTES);
        let first = (start - words.as_ptr() as u64) as usize / 8;
        let mut words = words;
        words[first + USED] = 5;
        words[first + SIZE_CLASS] = 3 << 32;
        words[first + ENDS] = POOL_HEAD_BYTES + 5 * 64;
        (words, start)
    }

    #[test]
    fn a_block_lies_at_its_place_in_a_pool_of_its_size() {
        let (_words, start) = pool();
        let block = start + POOL_HEAD_BYTES + 2 * 64;
        assert!(is_object(block, &wanted(50)));
        assert!(!is_object(block + 16, &wanted(50)), "within a block");
        assert!(!is_object(block, &wanted(40)), "a pool of another size");
        assert!(!is_object(start + POOL_HEAD_BYTES + 5 * 64, &wanted(50)), "not given out yet");
        assert!(!is_object(16, &wanted(50)), "not readable");
    }

    #[test]
    fn a_block_of_the_debug_allocator_is_told_by_its_head() {
        let head = [50_u64.swap_bytes(), DEBUG_GUARD << 8 | u64::from(b'o'), 1, 0];
        let block = head.as_ptr() as u64 + DEBUG_HEAD_BYTES;
        assert!(is_object(block, &wanted(50)));
        assert!(!is_object(block, &wanted(40)));
        assert!(is_object(block, &Wanted { may_be_longer: 1, ..wanted(40) }));
        assert!(!is_object(block, &Wanted { may_be_longer: 1, ..wanted(60) }));
    }

    #[test]
    fn an_object_is_linked_when_both_neighbours_lead_back() {
        let mut ring = Box::new([0_u64; 16]);
        let at = |index: usize| ring.as_ptr() as u64 + index as u64 * 8;
        let (head, links) = (at(0), at(4));
        (ring[0], ring[1], ring[4], ring[5]) = (links | 1, links, head, head | 2);
        assert!(is_linked(links + LINKS_BYTES));
        ring[1] = head;
        assert!(!is_linked(links + LINKS_BYTES));
        assert!(!is_linked(8));
    }
}
