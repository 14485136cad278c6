//! Copies out of another process: of one range, or of many small ranges.

use std::io;

use platform::memory::{copy, Span, MAX_SPANS, PAGE};

/// Places in a row that cannot be read cost a call of the system each page; after so many of them
/// the rest counts as not readable.
const MOST_FAILURES: usize = 100_000;

/// Copies bytes that lie together, as many as can be read from the first on.
///
/// # Errors
/// The system's: the process has ended, or may not be read.
pub fn read(pid: u32, address: u64, out: &mut [u8]) -> io::Result<usize> {
    copy(pid, &[Span::new(address, out.len())], out)
}

/// Copies `each` bytes from every address, one after the other into `out`; `readable[i]` says
/// whether the *i*-th could be. `out` keeps its old bytes at the other places.
///
/// # Errors
/// The system's, as for `read`.
pub fn gather(
    pid: u32,
    addresses: &[u64],
    each: usize,
    out: &mut [u8],
    readable: &mut [u8],
) -> io::Result<()> {
    readable.fill(0);
    let count = addresses.len().min(readable.len()).min(out.len() / each.max(1));
    let (mut at, mut failures) = (0, 0);
    while at < count && failures < MOST_FAILURES {
        let upto = count.min(at + MAX_SPANS);
        let ranges: Vec<Span> =
            addresses[at..upto].iter().map(|&address| Span::new(address, each)).collect();
        let whole = copy(pid, &ranges, &mut out[at * each..upto * each])? / each;
        readable[at..at + whole].fill(1);
        at += whole;
        if at < upto {
            failures += 1;
            // the copy stops at memory that cannot be read
            let begins = copy(pid, &[Span::new(addresses[at], 1)], &mut [0])? == 1;
            at = if begins { at + 1 } else { behind_page(addresses, at) };
        }
    }
    Ok(())
}

/// The first place from `at` on that does not begin in the page in which the one at `at` does,
/// which cannot be read.
fn behind_page(addresses: &[u64], at: usize) -> usize {
    let page = addresses[at] / PAGE;
    at + addresses[at..].iter().take_while(|&&address| address / PAGE == page).count()
}

#[cfg(test)]
mod tests {
    use platform::testing::forbid_access;

    use super::*;

    #[test]
    fn what_can_be_read_comes_and_what_cannot_is_said() {
        let words = [11_u64, 22, 33];
        let addresses = [words.as_ptr() as u64, 8, u64::MAX - 64, words.as_ptr() as u64 + 16, 0];
        let (mut out, mut readable) = ([0_u8; 40], [7_u8; 5]);
        gather(std::process::id(), &addresses, 8, &mut out, &mut readable).expect("our own memory");
        assert_eq!(readable, [1, 0, 0, 1, 0]);
        assert_eq!(u64::from_ne_bytes(out[..8].try_into().expect("eight")), 11);
        assert_eq!(u64::from_ne_bytes(out[24..32].try_into().expect("eight")), 33);
    }

    #[test]
    fn what_runs_into_a_page_that_cannot_be_read_spoils_nothing_before_it() {
        let pages = platform::map(None, 2 * PAGE as usize).expect("address space");
        // SAFETY: the second page of the mapping.
        unsafe { forbid_access(pages.add(PAGE as usize), PAGE as usize) };
        let start = pages.as_ptr() as u64;
        let (mut out, mut readable) = ([0_u8; 48], [7_u8; 3]);
        gather(
            std::process::id(),
            &[start + PAGE - 8, start + 64, start + PAGE],
            16,
            &mut out,
            &mut readable,
        )
        .expect("our own memory");
        assert_eq!(readable, [0, 1, 0]);
        // SAFETY: mapped above, and no code uses it any more.
        assert!(unsafe { platform::unmap(pages, 2 * PAGE as usize) });
    }

    #[test]
    fn a_page_that_cannot_be_read_is_tried_once_and_what_follows_is_read() {
        let word = 44_u64;
        let mut addresses: Vec<u64> = (0..3000).map(|each| 8 + each * 8).collect();
        addresses.push(std::ptr::from_ref(&word) as u64);
        let (mut out, mut readable) =
            (vec![0_u8; addresses.len() * 8], vec![7_u8; addresses.len()]);
        gather(std::process::id(), &addresses, 8, &mut out, &mut readable).expect("our own memory");
        assert_eq!(readable.iter().map(|&each| usize::from(each)).sum::<usize>(), 1);
        assert_eq!(out[3000 * 8..], word.to_ne_bytes());
    }

    #[test]
    fn more_addresses_than_one_call_takes_are_all_read() {
        let words: Vec<u64> = (0..2 * MAX_SPANS as u64 + 5).collect();
        let addresses: Vec<u64> =
            words.iter().map(|word| std::ptr::from_ref(word) as u64).collect();
        let (mut out, mut readable) = (vec![0_u8; words.len() * 8], vec![0_u8; words.len()]);
        gather(std::process::id(), &addresses, 8, &mut out, &mut readable).expect("our own memory");
        assert!(readable.iter().all(|&each| each == 1));
        let read: Vec<u64> = out
            .chunks(8)
            .map(|chunk| u64::from_ne_bytes(chunk.try_into().expect("eight")))
            .collect();
        assert_eq!(read, words);
    }

    #[test]
    fn a_process_that_is_gone_is_an_error() {
        let mut child = std::process::Command::new("true").spawn().expect("there is a `true`");
        child.wait().expect("it ends");
        let error = read(child.id(), 4096, &mut [0; 8]).expect_err("gone");
        assert!(platform::is_ended(&error));
    }
}
