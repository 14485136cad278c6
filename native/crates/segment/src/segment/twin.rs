//! The copy of a segment that a forked child continues with.
//!
//! The copy is made before the fork and needs no second mapping: it lies in a file or, when there
//! is none, packed in memory. The child maps it in the place of its parent's segment, which takes
//! no address space, so every pointer into the segment stays good.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Backing, Part, Segment, PAGE, PARTS};
use crate::layout::ReferenceState;

/// Lost rows continue from this generation, which no row has reached: an earlier handle is stale
/// and no number comes back.
const GENERATION_AFTER_LOSS: u64 = 0xC000_0000;

/// Everything in use, for a child about to be forked.
pub enum Twin {
    /// In a file of the segment's size.
    File(Backing),
    /// In private memory, one range behind the other.
    Packed(Packed),
    /// There was room for neither.
    Nothing,
}

/// Private memory that ends with it.
pub struct Packed {
    base: NonNull<u8>,
    bytes: usize,
}

// SAFETY: the memory is reached through the one value only.
unsafe impl Send for Packed {}

impl Drop for Packed {
    fn drop(&mut self) {
        // SAFETY: made by `map` with this size, and nothing refers into it.
        unsafe { platform::unmap(self.base, self.bytes) };
    }
}

impl Segment {
    /// Copies everything in use: into `file`, or into private memory when that fails. Writers are
    /// held up by the caller, which also holds `backing`.
    pub fn twin(&self, file: Option<File>) -> Twin {
        if let Some(file) = file {
            let copied = Backing::new(file)
                .and_then(|backing| self.copy_to_file(&backing).map(|()| backing));
            if let Ok(backing) = copied {
                return Twin::File(backing);
            }
        }
        self.packed().map_or(Twin::Nothing, Twin::Packed)
    }

    /// Continues in private memory, at the same address, and gives the file up.
    ///
    /// # Safety
    /// The caller holds up all writers, by `threads::hold_writers` and the locks of the tables. A
    /// counter that is raised meanwhile may lose that.
    pub unsafe fn leave_file(&self) -> io::Result<()> {
        let mut backing = self.backing.lock();
        let bytes = self.plan.bytes as usize;
        let fresh = platform::map(None, bytes)?;
        for range in self.ranges() {
            // SAFETY: the range lies within both mappings, and the fresh mapping is ours alone.
            unsafe {
                copy_words(
                    self.base.as_ptr().add(range.start),
                    fresh.as_ptr().add(range.start),
                    range.len(),
                )
            };
        }
        // SAFETY: both are of the planned size. The kernel swaps them in one step: a reader
        // meanwhile finds either the old or the new mapping.
        let moved = unsafe { platform::replace_mapping(fresh, self.base, bytes) };
        if moved.is_ok() {
            *backing = None;
        } else {
            // SAFETY: made above, and nothing refers into it.
            unsafe { platform::unmap(fresh, bytes) };
        }
        moved
    }

    /// Continues in `file`, at the same address.
    ///
    /// # Safety
    /// As `leave_file`, which was called before.
    pub unsafe fn take_file(&self, file: File) -> io::Result<()> {
        let mut backing = self.backing.lock();
        let fresh = Backing::new(file)?;
        self.copy_to_file(&fresh)?;
        // SAFETY: the whole mapping of this segment; the file has its size and its content. The
        // kernel swaps them in one step.
        unsafe { platform::map_over(self.base, self.plan.bytes as usize, Some(fresh.file()?)) }?;
        *backing = Some(fresh);
        Ok(())
    }

    /// The parts in use, by their offsets.
    fn ranges(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        let parts = PARTS.into_iter().map(|part| {
            let (extent, used) = (self.extent(part), u64::from(self.used(part)));
            extent.offset as usize
                ..(extent.offset + used * u64::from(extent.record_bytes)).next_multiple_of(8)
                    as usize
        });
        std::iter::once(0..PAGE as usize).chain(parts)
    }

    fn copy_to_file(&self, backing: &Backing) -> io::Result<()> {
        platform::resize(backing.file()?, self.plan.bytes)?;
        platform::allocate(backing.file()?, 0, PAGE)?;
        for part in PARTS {
            // Acquire, as everywhere that it is read
            let bytes = self.reserved[part as usize].load(Ordering::Acquire);
            if bytes > 0 {
                platform::allocate(backing.file()?, self.extent(part).offset, bytes)?;
            }
        }
        for range in self.ranges() {
            // SAFETY: the range lies within the mapping.
            unsafe {
                platform::write_memory(
                    backing.file()?,
                    range.start as u64,
                    self.base.as_ptr().add(range.start),
                    range.len(),
                )
            }?;
        }
        Ok(())
    }

    fn packed(&self) -> io::Result<Packed> {
        let bytes = self.ranges().map(|range| range.len()).sum();
        let packed = Packed { base: platform::map(None, bytes)?, bytes };
        let mut at = 0;
        for range in self.ranges() {
            // SAFETY: the range lies within the mapping, and within the mapping just made.
            unsafe {
                copy_words(
                    self.base.as_ptr().add(range.start),
                    packed.base.as_ptr().add(at),
                    range.len(),
                )
            };
            at += range.len();
        }
        Ok(packed)
    }

    /// Replaces this mapping with the twin and returns the earlier backing. Without a replacement
    /// the rows are lost: see [`Segment::lose`].
    ///
    /// # Safety
    /// No other thread runs: this is a forked child. The caller has released `backing`.
    pub unsafe fn adopt(&self, twin: Twin) -> Option<Backing> {
        // SAFETY: the caller's promise.
        let backing = unsafe { self.adopt_memory(twin) };
        std::mem::replace(&mut *self.backing.lock(), backing)
    }

    /// # Safety
    /// As `adopt`.
    unsafe fn adopt_memory(&self, twin: Twin) -> Option<Backing> {
        let bytes = self.plan.bytes as usize;
        let is_filled = match twin {
            Twin::File(backing) => {
                let map_over = |file| {
                    // SAFETY: the whole mapping of this segment; the file has its size and its content.
                    unsafe { platform::map_over(self.base, bytes, Some(file)) }
                };
                if backing.file().and_then(map_over).is_ok() {
                    return Some(backing);
                }
                // SAFETY: the caller's promise.
                unsafe { self.fill_from_file(&backing) }
            }
            // SAFETY: the caller's promise.
            Twin::Packed(packed) => unsafe { self.fill_from_packed(&packed) },
            Twin::Nothing => false,
        };
        if !is_filled {
            self.lose();
        }
        None
    }

    /// # Safety
    /// As `adopt`.
    unsafe fn fill_from_file(&self, backing: &Backing) -> bool {
        // SAFETY: the whole mapping of this segment.
        if unsafe { platform::map_over(self.base, self.plan.bytes as usize, None) }.is_err() {
            return false;
        }
        self.ranges().all(|range| {
            let Ok(file) = backing.file() else { return false };
            // SAFETY: the range lies within the mapping, and no other code uses it.
            unsafe {
                platform::read_memory(
                    file,
                    range.start as u64,
                    self.base.as_ptr().add(range.start),
                    range.len(),
                )
            }
            .is_ok()
        })
    }

    /// # Safety
    /// As `adopt`.
    unsafe fn fill_from_packed(&self, packed: &Packed) -> bool {
        // SAFETY: the whole mapping of this segment.
        if unsafe { platform::map_over(self.base, self.plan.bytes as usize, None) }.is_err() {
            return false;
        }
        let mut at = 0;
        for range in self.ranges() {
            // SAFETY: the range lies within the mapping, the other within `packed`, which was made
            // of the same ranges.
            unsafe {
                copy_words(
                    packed.base.as_ptr().add(at),
                    self.base.as_ptr().add(range.start),
                    range.len(),
                )
            };
            at += range.len();
        }
        true
    }

    /// The content is gone, or belongs to another process: continues in private memory, where all
    /// rows are free. Earlier handles are stale and new handles work. Async-signal-safe.
    pub fn lose(&self) {
        // SAFETY: the whole mapping of this segment, whose content is given up; pointers into it
        // stay good.
        if unsafe { platform::map_over(self.base, self.plan.bytes as usize, None) }.is_err() {
            // the system has not even the few bytes that tell of a mapping: then nothing is written
            // to the other process's at least
            // SAFETY: as above.
            unsafe { platform::forbid_writing(self.base, self.plan.bytes as usize) };
            return;
        }
        self.write_plan();
        for index in 1..self.used(Part::Handles) {
            self.handle(index)[0].store(
                GENERATION_AFTER_LOSS << 32 | ReferenceState::Free as u64,
                Ordering::Relaxed,
            );
        }
    }
}

/// # Safety
/// Both point to `bytes` bytes, a multiple of eight and aligned; no other code uses the bytes at
/// `to`.
unsafe fn copy_words(from: *mut u8, to: *mut u8, bytes: usize) {
    for at in (0..bytes).step_by(8) {
        // SAFETY: the caller's promise. Atomic: other threads may show pins in their slots
        // meanwhile.
        unsafe {
            to.add(at)
                .cast::<u64>()
                .write(AtomicU64::from_ptr(from.add(at).cast()).load(Ordering::Relaxed))
        };
    }
}
