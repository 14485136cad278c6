//! Copies of memory whose addresses may be wrong: of this process, or of another.
//!
//! Made with `process_vm_readv`: an address that cannot be read is an answer, never a fault. Stops
//! nothing and writes nothing.

use std::fs::File;
use std::io::{self, Error};
use std::os::unix::fs::FileExt;

/// Most spans that one copy takes.
pub const MAX_SPANS: usize = 1000;
/// Bytes of a page, the unit of [`Pages`].
pub const PAGE: u64 = 4096;
const PRESENT: u64 = 1 << 63;
const SWAPPED: u64 = 1 << 62;

/// Addresses to copy from, which nobody promised.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Span(libc::iovec);

impl Span {
    /// `length` bytes from `address` on.
    #[inline]
    pub fn new(address: u64, length: usize) -> Self {
        Self(libc::iovec { iov_base: address as *mut _, iov_len: length })
    }
}

/// Copies spans of process `pid`, one after the other into `out`, and ends before the first that
/// cannot be read. Returns the bytes copied. At most [`MAX_SPANS`].
///
/// # Errors
/// The system's: the process has ended, or may not be read.
pub fn copy(pid: u32, spans: &[Span], out: &mut [u8]) -> io::Result<usize> {
    match copied(pid, spans, out) {
        // an address that no process can have is `EINVAL` to some kernels
        Err(error) if matches!(error.raw_os_error(), Some(libc::EFAULT | libc::EINVAL)) => Ok(0),
        other => other,
    }
}

/// As `copy`, with an error when nothing can be read.
fn copied(pid: u32, spans: &[Span], out: &mut [u8]) -> io::Result<usize> {
    let local = libc::iovec { iov_base: out.as_mut_ptr().cast(), iov_len: out.len() };
    // SAFETY: `local` is all of `out`; `Span` is transparent over `iovec`, and the kernel checks
    // the addresses in it.
    let copied = unsafe {
        libc::process_vm_readv(
            pid as libc::pid_t,
            &local,
            1,
            spans.as_ptr().cast(),
            spans.len() as libc::c_ulong,
            0,
        )
    };
    if copied < 0 {
        return Err(Error::last_os_error());
    }
    Ok(copied as usize)
}

/// Copies spans of our own memory; returns the bytes that could be read before the first that could
/// not.
pub fn copy_own(spans: &[Span], out: &mut [u8]) -> usize {
    copied(std::process::id(), spans, out).unwrap_or(0)
}

/// Reads words of our own memory from `address` on; returns how many could be read.
pub fn read_own_words(address: u64, out: &mut [u64]) -> usize {
    const WORD: usize = size_of::<u64>();
    // SAFETY: the words as bytes, of which any are valid.
    let bytes = unsafe { bytes_of(out) };
    copy_own(&[Span::new(address, bytes.len())], bytes) / WORD
}

/// Reads two words at each of `addresses` in our own memory, as far as possible. Returns how many
/// were read. At most [`MAX_SPANS`] addresses.
///
/// # Errors
/// The system's, when it lets us read nothing at all (a sandbox).
pub fn read_pairs(addresses: &[u64], out: &mut [[u64; 2]]) -> io::Result<usize> {
    const PAIR_BYTES: usize = size_of::<[u64; 2]>();
    let count = addresses.len().min(out.len()).min(MAX_SPANS);
    let spans: Vec<Span> =
        addresses[..count].iter().map(|&address| Span::new(address, PAIR_BYTES)).collect();
    // SAFETY: the words as bytes, of which any are valid.
    let bytes = unsafe { bytes_of(&mut out[..count]) };
    match copied(std::process::id(), &spans, bytes) {
        Ok(bytes) => Ok(bytes / PAIR_BYTES),
        Err(error) if error.raw_os_error() == Some(libc::EFAULT) => Ok(0),
        Err(error) => Err(error),
    }
}

/// # Safety
/// Any bytes are valid values.
unsafe fn bytes_of<T>(values: &mut [T]) -> &mut [u8] {
    let length = size_of_val(values);
    // SAFETY: the memory of the slice, borrowed as long; the caller's promise.
    unsafe { std::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), length) }
}

/// Bytes that lie together: address and length.
pub type Run = (u64, usize);

/// The pages of a process that are in memory. If the system does not say, all pages count as
/// present.
pub struct Pages(Option<File>);

impl Pages {
    /// The pages of process `pid`.
    pub fn open(pid: u32) -> Self {
        Self(File::open(format!("/proc/{pid}/pagemap")).ok())
    }

    /// Runs of pages in memory between two addresses; bytes in swap are added to `swapped`.
    pub fn present(&self, low: u64, high: u64, swapped: &mut u64) -> io::Result<Vec<Run>> {
        let Some(file) = &self.0 else { return Ok(vec![(low, (high - low) as usize)]) };
        let pages = (high - low).div_ceil(PAGE) as usize;
        let mut entries = vec![0_u8; pages * 8];
        let known = file.read_at(&mut entries, low / PAGE * 8)? / 8;
        let mut runs: Vec<Run> = Vec::new();
        for (page, entry) in entries.chunks_exact(8).take(known).enumerate() {
            let entry = u64::from_le_bytes(entry.try_into().unwrap_or_default());
            let address = low + page as u64 * PAGE;
            let length = PAGE.min(high - address) as usize;
            if entry & SWAPPED != 0 {
                *swapped += length as u64;
            } else if entry & PRESENT != 0 {
                match runs.last_mut() {
                    Some((start, total)) if *start + *total as u64 == address => *total += length,
                    _ => runs.push((address, length)),
                }
            }
        }
        Ok(runs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_up_to_the_first_that_cannot_be() {
        let words = [11_u64, 22, 33];
        let mut out = [0; 2];
        assert_eq!((read_own_words(&raw const words[1] as u64, &mut out), out), (2, [22, 33]));
        assert_eq!(read_own_words(8, &mut out), 0);
        let mut pairs = [[0; 2]; 3];
        let addresses = [words.as_ptr() as u64, &raw const words[1] as u64, 8];
        assert_eq!(read_pairs(&addresses, &mut pairs).expect("our own memory"), 2);
        assert_eq!(pairs[..2], [[11, 22], [22, 33]]);
    }
}
