//! Takes the region of an injection out of this process again, once every thread has certainly left
//! it.
//!
//! The stub reports its end, but its last instructions come after that. So each thread is checked:
//! a waiting thread shows its position, and whether any word on its stack points into the region; a
//! running thread has left when it has used far more time than two instructions take.

use std::fs;
use std::time::{Duration, Instant};

use segment::injected::{at, CODE_BYTES, REGION_BYTES, REGION_MAGIC};
use segment::platform;
use segment::platform::maps::MemoryMap;

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
    // SAFETY: an injection made it with this size, its threads have left it, and nothing else knows
    // its address.
    is_left && unsafe { libc::munmap(base as *mut _, REGION_BYTES) } == 0
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
    let found = fs::read_dir("/proc/self/task").ok()?.take(MOST_THREADS + 1);
    let tids: Option<Vec<u32>> =
        found.map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    let tids = tids.filter(|tids| tids.len() <= MOST_THREADS)?;
    Some(
        tids.into_iter()
            .filter(|&tid| tid != own)
            .map(|tid| Looked { tid, used_nanos: used_nanos(tid) })
            .collect(),
    )
}

fn used_nanos(tid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/self/task/{tid}/schedstat")).unwrap_or_default();
    text.split_whitespace().next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0)
}

impl Looked {
    fn has_left(&self, base: usize) -> bool {
        match fs::read_to_string(format!("/proc/self/task/{}/syscall", self.tid)) {
            Ok(text) if text.starts_with("running") => {
                used_nanos(self.tid).saturating_sub(self.used_nanos) >= CERTAIN_NANOS
            }
            Ok(text) => waits_outside(&text, base),
            Err(error) => {
                error.raw_os_error() == Some(libc::ESRCH)
                    || error.kind() == std::io::ErrorKind::NotFound
            }
        }
    }
}

/// Whether a thread that waits does so outside of the region, with no way back into it on its
/// stack.
fn waits_outside(text: &str, base: usize) -> bool {
    let numbers = text
        .split_whitespace()
        .map(|word| usize::from_str_radix(word.trim_start_matches("0x"), 16));
    let Some([Ok(stack), Ok(at)]) = numbers.collect::<Vec<_>>().last_chunk::<2>().cloned() else {
        return false;
    };
    let region = base..base + REGION_BYTES;
    !region.contains(&at)
        && !region.contains(&stack)
        && !stack_words(stack).any(|word| region.contains(&word))
}

/// The words of a stack from `pointer` on, as far as they can be read.
fn stack_words(pointer: usize) -> impl Iterator<Item = usize> {
    let mut bytes = vec![0_u8; STACK_BYTES];
    let into = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: STACK_BYTES };
    // page by page: memory above the stack need not be readable
    let from: Vec<libc::iovec> = pages(pointer, STACK_BYTES).collect();
    // SAFETY: `into` is memory of ours.
    let read = unsafe { platform::read_own_memory(&[into], &from) }.unwrap_or(0);
    bytes.truncate(read);
    let words: Vec<usize> = bytes
        .chunks_exact(8)
        .map(|word| word.iter().rev().fold(0, |number, &byte| number << 8 | usize::from(byte)))
        .collect();
    words.into_iter()
}

fn pages(from: usize, length: usize) -> impl Iterator<Item = libc::iovec> {
    const PAGE: usize = 4096;
    let mut at = from;
    std::iter::from_fn(move || {
        let part = (PAGE - at % PAGE).min((from + length).saturating_sub(at));
        let page = libc::iovec { iov_base: at as *mut _, iov_len: part };
        at += part;
        (part > 0).then_some(page)
    })
}

fn word(address: usize) -> Option<u64> {
    let mut word = 0_u64;
    let into =
        libc::iovec { iov_base: std::ptr::from_mut(&mut word).cast(), iov_len: size_of::<u64>() };
    let from = libc::iovec { iov_base: address as *mut _, iov_len: size_of::<u64>() };
    // SAFETY: `into` is a word of ours.
    let read = unsafe { platform::read_own_memory(&[into], &[from]) };
    read.is_ok_and(|read| read == size_of::<u64>()).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A region as an injection makes it, with these words set.
    fn region(left: u64, done: u64) -> usize {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: new mappings of ours.
        unsafe {
            let base = libc::mmap(
                std::ptr::null_mut(),
                REGION_BYTES,
                libc::PROT_READ | libc::PROT_EXEC,
                flags,
                -1,
                0,
            ) as usize;
            let words = base + CODE_BYTES;
            assert_eq!(
                libc::mprotect(
                    words as *mut _,
                    REGION_BYTES - CODE_BYTES,
                    libc::PROT_READ | libc::PROT_WRITE
                ),
                0
            );
            (words as *mut u64).write(REGION_MAGIC);
            ((words + at::LEFT) as *mut u64).write(left);
            ((words + at::DONE) as *mut u64).write(done);
            base
        }
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
        unsafe { libc::munmap(entered as *mut _, REGION_BYTES) };
    }

    #[test]
    fn a_thread_that_waits_in_the_region_or_has_a_way_back_on_its_stack_has_not_left() {
        let base = 0x7000_0000;
        let stack = vec![1_usize; STACK_BYTES / 8];
        let mut bare = stack.clone();
        bare[700] = base + 0x40;
        let line = |stack: &[usize], at: usize| {
            format!("35 0x0 0x0 0x0 0x0 0x0 0x0 {:#x} {at:#x}", stack.as_ptr() as usize)
        };
        assert!(waits_outside(&line(&stack, 0x1000), base));
        assert!(!waits_outside(&line(&stack, base + 8), base));
        assert!(!waits_outside(&line(&bare, 0x1000), base));
        assert!(!waits_outside("nonsense", base));
    }
}
