//! Pages of another process, and the copy on which one run works.

use std::collections::HashMap;
use std::rc::Rc;

use viewer::outside;

use crate::stop::Stop;

/// Bytes of a page.
pub const PAGE: u64 = 4096;
/// The bytes of a page.
pub type Page = [u8; PAGE as usize];
/// Addresses of the run's own stack and allocations. No processor gives them to a program.
pub(crate) const SCRATCH: u64 = 0x4000_0000_0000_0000;
/// Bytes of the run's own memory.
pub(crate) const SCRATCH_BYTES: u64 = 16 << 20;
/// Pages that are kept from one run to the next; with more, reading begins anew.
const MOST_KEPT: usize = 16 << 10;
/// Pages that one run may write.
const MOST_WRITTEN: usize = 4 << 10;

/// The memory that is copied.
pub trait Source {
    /// The page at an address that is a multiple of [`PAGE`]; `None`: it cannot be read.
    fn page(&mut self, address: u64) -> Option<Page>;
}

/// The memory of another process.
#[derive(Debug)]
pub struct Process(pub u32);

impl Source for Process {
    fn page(&mut self, address: u64) -> Option<Page> {
        let mut page = [0; PAGE as usize];
        let read = outside::read(self.0, address, &mut page).ok()?;
        (read == page.len()).then_some(page)
    }
}

/// Pages that were read, for all runs.
pub(crate) struct Kept<S> {
    source: S,
    patches: HashMap<u64, Vec<(usize, u64)>>,
    pages: HashMap<u64, Option<Rc<Page>>>,
}

impl<S: Source> Kept<S> {
    /// `words`: addresses of words, and what the copy has there instead.
    pub(crate) fn new(source: S, words: impl IntoIterator<Item = (u64, u64)>) -> Self {
        let mut patches: HashMap<u64, Vec<(usize, u64)>> = HashMap::new();
        for (address, word) in words {
            let first = (address & (PAGE - 1)) as usize;
            if first + 8 <= PAGE as usize {
                patches.entry(address & !(PAGE - 1)).or_default().push((first, word));
            }
        }
        Self { source, patches, pages: HashMap::new() }
    }

    fn page(&mut self, address: u64) -> Option<Rc<Page>> {
        if self.pages.len() >= MOST_KEPT {
            self.pages.clear();
        }
        let (source, patches) = (&mut self.source, &self.patches);
        let read = || {
            let mut page = source.page(address)?;
            for &(first, word) in patches.get(&address).into_iter().flatten() {
                page[first..first + 8].copy_from_slice(&word.to_le_bytes());
            }
            Some(Rc::new(page))
        };
        self.pages.entry(address).or_insert_with(read).clone()
    }
}

/// The memory of one run: pages that it wrote, above the pages that were read.
pub(crate) struct Copy<'a, S> {
    kept: &'a mut Kept<S>,
    written: HashMap<u64, Box<Page>>,
    newest: Option<(u64, Rc<Page>)>,
}

/// Whether an address is of the run's own memory.
pub(crate) fn is_scratch(address: u64) -> bool {
    (SCRATCH..SCRATCH + SCRATCH_BYTES).contains(&address)
}

impl<'a, S: Source> Copy<'a, S> {
    pub(crate) fn new(kept: &'a mut Kept<S>) -> Self {
        Self { kept, written: HashMap::new(), newest: None }
    }

    /// Copies bytes out.
    pub(crate) fn read(&mut self, address: u64, out: &mut [u8]) -> Result<(), Stop> {
        let mut done = 0;
        while done < out.len() {
            let at = address.wrapping_add(done as u64);
            let (page, first) = (at & !(PAGE - 1), (at & (PAGE - 1)) as usize);
            let count = (out.len() - done).min(PAGE as usize - first);
            let part = &mut out[done..done + count];
            if let Some(own) = self.written.get(&page) {
                part.copy_from_slice(&own[first..first + count]);
            } else {
                part.copy_from_slice(&self.original(page)?[first..first + count]);
            }
            done += count;
        }
        Ok(())
    }

    /// Writes bytes into the copy.
    pub(crate) fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), Stop> {
        let mut done = 0;
        while done < bytes.len() {
            let at = address.wrapping_add(done as u64);
            let (page, first) = (at & !(PAGE - 1), (at & (PAGE - 1)) as usize);
            let count = (bytes.len() - done).min(PAGE as usize - first);
            self.own(page)?[first..first + count].copy_from_slice(&bytes[done..done + count]);
            done += count;
        }
        Ok(())
    }

    /// A little-endian number of `size` bytes, 8 at most.
    pub(crate) fn number(&mut self, address: u64, size: usize) -> Result<u64, Stop> {
        let mut bytes = [0; 8];
        self.read(address, &mut bytes[..size])?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// The number that the process has there, whatever the run wrote.
    pub(crate) fn before(&mut self, address: u64, size: usize) -> Result<u64, Stop> {
        let mut bytes = [0; 8];
        for (offset, byte) in bytes.iter_mut().enumerate().take(size) {
            let at = address.wrapping_add(offset as u64);
            *byte = self.original(at & !(PAGE - 1))?[(at & (PAGE - 1)) as usize];
        }
        Ok(u64::from_le_bytes(bytes))
    }

    fn original(&mut self, page: u64) -> Result<Rc<Page>, Stop> {
        if let Some((address, newest)) = &self.newest {
            if *address == page {
                return Ok(newest.clone());
            }
        }
        if is_scratch(page) {
            return Ok(Rc::new([0; PAGE as usize]));
        }
        let found = self.kept.page(page).ok_or(Stop::Unreadable(page))?;
        self.newest = Some((page, found.clone()));
        Ok(found)
    }

    fn own(&mut self, page: u64) -> Result<&mut Page, Stop> {
        if !self.written.contains_key(&page) {
            if self.written.len() >= MOST_WRITTEN {
                return Err(Stop::Memory);
            }
            let original = self.original(page)?;
            self.written.insert(page, Box::new(*original));
        }
        self.written.get_mut(&page).map(|page| &mut **page).ok_or(Stop::Memory)
    }
}
