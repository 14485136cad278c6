//! Takes the region of an injection out of this process again, once every thread has certainly left
//! it.
//!
//! The stub reports its end, but its last instructions come after that. So each thread is checked:
//! a waiting thread shows its position, and whether any word on its stack points into the region; a
//! running thread has left when it has used far more time than two instructions take.

use std::ptr::NonNull;
use std::time::{Duration, Instant};

use platform::maps::MemoryMap;
use platform::memory::{self, Span};
use platform::threads::{self, Doing};
use segment::injected::{at, CODE_BYTES, REGION_BYTES, REGION_MAGIC};

/// How long running threads are looked at before the region stays. The next injection uses it
/// again, so there is one at most.
const PATIENCE: Duration = Duration::from_millis(200);
const TURN: Duration = Duration::from_millis(2);
/// A thread that used so much processor time is not between two instructions of the stub any more.
const CERTAIN_NANOS: u64 = 5_000_000;
/// Threads that are looked at; in a process with more the region stays.
const MOST_THREADS: usize = 4096;
/// Bytes of a waiting thread's stack in which a way back into the region would be: a signal's frame
/// with all registers, and handlers on it.
const STACK_BYTES: usize = 64 << 10;

/// Unmaps the regions of injections that all threads have left. Returns how many stay.
pub fn unmap_left() -> usize {
    let map = MemoryMap::of_this_process();
    let is_region = |&base: &usize| word(base + CODE_BYTES) == Some(REGION_MAGIC);
    let regions: Vec<usize> = regions(&map).filter(is_region).collect();
    regions.into_iter().filter(|&base| !unmap(base)).count()
}

/// First bytes of ranges that look like the code of a region.
fn regions(map: &MemoryMap) -> impl Iterator<Item = usize> + '_ {
    map.iter().filter_map(|each| {
        let is_region = each.access == *b"r-xp"
            && each.inode == 0
            && each.path.is_empty()
            && each.high - each.low == CODE_BYTES as u64;
        is_region.then_some(each.low as usize)
    })
}

fn unmap(base: usize) -> bool {
    let is_through =
        |offset: usize| word(base + CODE_BYTES + offset).is_some_and(|word| word as u32 != 0);
    let is_left = is_through(at::LEFT) && is_through(at::DONE) && everybody_left(base);
    let Some(place) = NonNull::new(base as *mut u8).filter(|_| is_left) else { return false };
    // SAFETY: an injection made it with this size, its threads have left it, and nothing else knows
    // its address.
    unsafe { platform::unmap(place, REGION_BYTES) }
}

/// Whether no other thread can be in the region.
fn everybody_left(base: usize) -> bool {
    let until = Instant::now() + PATIENCE;
    let Some(mut inside) = threads() else { return false };
    loop {
        inside.retain(|thread| !thread.has_left(base));
        if inside.is_empty() || Instant::now() >= until {
            return inside.is_empty();
        }
        std::thread::sleep(TURN);
    }
}

/// Another thread of this process.
struct Looked {
    tid: u32,
    /// Processor time when it was first looked at.
    used_nanos: u64,
}

/// All other threads; none when they cannot be listed, or are too many.
fn threads() -> Option<Vec<Looked>> {
    let own = platform::thread_id();
    let others = threads::all_ids(MOST_THREADS)?.into_iter().filter(|&tid| tid != own);
    Some(others.map(|tid| Looked { tid, used_nanos: threads::used_nanos(tid) }).collect())
}

impl Looked {
    fn has_left(&self, base: usize) -> bool {
        match threads::doing(self.tid) {
            Doing::Ended => true,
            Doing::Running => {
                let used = threads::used_nanos(self.tid).saturating_sub(self.used_nanos);
                used >= CERTAIN_NANOS
            }
            Doing::Waiting { stack, at } => waits_outside(stack, at, base),
            Doing::Unknown => false,
        }
    }
}

/// Whether a thread that waits does so outside of the region, with no way back into it on its
/// stack.
fn waits_outside(stack: usize, at: usize, base: usize) -> bool {
    let region = base..base + REGION_BYTES;
    !region.contains(&at)
        && !region.contains(&stack)
        && !stack_words(stack).any(|word| region.contains(&word))
}

/// The words of a stack from `pointer` on, as far as they can be read.
fn stack_words(pointer: usize) -> impl Iterator<Item = usize> {
    let mut bytes = vec![0_u8; STACK_BYTES];
    // page by page: memory above the stack need not be readable
    let read = memory::copy_own(&pages(pointer, STACK_BYTES).collect::<Vec<_>>(), &mut bytes);
    bytes.truncate(read);
    let words: Vec<usize> = bytes
        .chunks_exact(8)
        .map(|word| word.iter().rev().fold(0, |number, &byte| number << 8 | usize::from(byte)))
        .collect();
    words.into_iter()
}

fn pages(from: usize, length: usize) -> impl Iterator<Item = Span> {
    const PAGE: usize = 4096;
    let mut at = from;
    std::iter::from_fn(move || {
        let part = (PAGE - at % PAGE).min((from + length).saturating_sub(at));
        let page = Span::new(at as u64, part);
        at += part;
        (part > 0).then_some(page)
    })
}

fn word(address: usize) -> Option<u64> {
    let mut word = [0];
    (memory::read_own_words(address as u64, &mut word) == 1).then_some(word[0])
}

#[cfg(test)]
mod tests {
    use platform::testing::{allow_writing, map_executable};

    use super::*;

    /// A region as an injection makes it, with these words set.
    fn region(left: u64, done: u64) -> usize {
        let base = map_executable(REGION_BYTES);
        // SAFETY: whole pages of the mapping just made, and words in them.
        unsafe {
            let words = base.add(CODE_BYTES);
            allow_writing(words, REGION_BYTES - CODE_BYTES);
            words.cast().write(REGION_MAGIC);
            words.add(at::LEFT).cast().write(left);
            words.add(at::DONE).cast().write(done);
        }
        base.as_ptr() as usize
    }

    #[test]
    fn a_region_goes_only_when_both_threads_said_that_they_are_through() {
        let (entered, left) = (region(1, 0), region(1, 1));
        unmap_left();
        assert_eq!(
            (word(entered + CODE_BYTES), word(left + CODE_BYTES)),
            (Some(REGION_MAGIC), None)
        );
        // SAFETY: nothing else knows it.
        unsafe { platform::unmap(NonNull::new(entered as *mut u8).expect("mapped"), REGION_BYTES) };
    }

    #[test]
    fn a_thread_that_waits_in_the_region_or_has_a_way_back_on_its_stack_has_not_left() {
        let base = 0x7000_0000;
        let stack = vec![1_usize; STACK_BYTES / 8];
        let mut bare = stack.clone();
        bare[700] = base + 0x40;
        let waits = |stack: &[usize], at: usize| waits_outside(stack.as_ptr() as usize, at, base);
        assert!(waits(&stack, 0x1000));
        assert!(!waits(&stack, base + 8));
        assert!(!waits(&bare, 0x1000));
    }
}
