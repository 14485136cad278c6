//! The file of a segment, opened so that nothing a stranger put there can harm the viewer.
//!
//! Read with `pread`, never mapped: a file that its owner truncates is a short read here, not a
//! `SIGBUS`.

use std::fs::{File, Metadata};
use std::io::ErrorKind;
use std::mem::{size_of, ManuallyDrop};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt};
use std::path::Path;

use super::{ReadError, Result};
use segment::layout::{
    Event, FrameSlot, HandleSlot, Header, RingHeader, SiteSlot, ThreadSlot, TypeSlot,
};

/// A record of the schema.
///
/// # Safety
/// Every pattern of bytes must be a valid value: integers and arrays of them only.
pub unsafe trait Record: Copy {}

// SAFETY: these records of the schema consist of integers only.
unsafe impl Record for Header {}
// SAFETY: as above.
unsafe impl Record for ThreadSlot {}
// SAFETY: as above.
unsafe impl Record for TypeSlot {}
// SAFETY: as above.
unsafe impl Record for SiteSlot {}
// SAFETY: as above.
unsafe impl Record for FrameSlot {}
// SAFETY: as above.
unsafe impl Record for HandleSlot {}
// SAFETY: as above.
unsafe impl Record for RingHeader {}
// SAFETY: as above.
unsafe impl Record for Event {}
// SAFETY: an integer.
unsafe impl Record for u64 {}
// SAFETY: an integer.
unsafe impl Record for u32 {}
// SAFETY: an integer.
unsafe impl Record for u8 {}

/// A record of nothing but zero bytes.
pub fn zeroed<T: Record>() -> T {
    // SAFETY: `Record` promises that any bytes are a valid value.
    unsafe { std::mem::zeroed() }
}

/// An open segment file.
pub struct SegmentFile {
    file: ManuallyDrop<File>,
    /// Device and inode.
    identity: (u64, u64),
}

impl SegmentFile {
    /// Open `path`: a regular file of this user (for root, of any user), not reached through a
    /// symbolic link in the last place.
    pub fn open(path: &Path) -> Result<Self> {
        let file = platform::open_plainly(path).map_err(|error| {
            if platform::is_symlink(&error) {
                return ReadError::NotOurs("it is a symbolic link".into());
            }
            ReadError::Io(error)
        })?;
        let found = file.metadata()?;
        let opened = Self { file: ManuallyDrop::new(file), identity: (found.dev(), found.ino()) };
        opened.check_owner(&found)?;
        Ok(opened)
    }

    fn check_owner(&self, metadata: &Metadata) -> Result<()> {
        let kind = metadata.file_type();
        if !kind.is_file() {
            let what = match () {
                () if kind.is_dir() => "a directory",
                () if kind.is_fifo() => "a pipe",
                () if kind.is_socket() => "a socket",
                () => "a device",
            };
            return Err(ReadError::NotOurs(format!("it is {what}, not a file")));
        }
        let own = platform::user_id();
        if own != 0 && metadata.uid() != own {
            return Err(ReadError::NotOurs(format!(
                "it belongs to user {}, not to user {own}",
                metadata.uid()
            )));
        }
        Ok(())
    }

    /// Length in bytes now, holes included.
    pub fn length(&self) -> Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Bytes really allocated for it now, 0 when that is unknown.
    pub fn allocated(&self) -> u64 {
        self.file.metadata().map_or(0, |metadata| metadata.blocks() * 512)
    }

    /// Fill `out` from `offset` on, or fail when the file ends before.
    pub fn read<T: Record>(&self, offset: u64, out: &mut [T]) -> Result<()> {
        let length = std::mem::size_of_val(out);
        // SAFETY: the slice's memory is ours for the borrow, and `Record` promises that any bytes
        // are valid values.
        let bytes =
            unsafe { std::slice::from_raw_parts_mut(out.as_mut_ptr().cast::<u8>(), length) };
        let mut done = 0;
        while done < length {
            match self.file.read_at(&mut bytes[done..], offset + done as u64) {
                Ok(0) => {
                    return Err(ReadError::Truncated {
                        wanted: offset + length as u64,
                        got: offset + done as u64,
                    })
                }
                Ok(count) => done += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// One record at `offset`.
    pub fn read_one<T: Record>(&self, offset: u64) -> Result<T> {
        let mut out = [zeroed::<T>()];
        self.read(offset, &mut out)?;
        Ok(out[0])
    }

    /// Whether a process holds the lifetime lock on byte 0: the segment's process lives.
    pub fn is_locked(&self) -> Result<bool> {
        Ok(platform::is_locked(&*self.file)?)
    }
}

impl Drop for SegmentFile {
    /// In a process that looks at its own segment the program may have closed the descriptor and
    /// opened another file at its number.
    fn drop(&mut self) {
        if self.file.metadata().is_ok_and(|found| (found.dev(), found.ino()) == self.identity) {
            // SAFETY: `file` is not used after this, `self` is being dropped.
            unsafe { ManuallyDrop::drop(&mut self.file) };
        }
    }
}

/// Bytes of a header, as an offset.
pub const HEADER_BYTES: u64 = size_of::<Header>() as u64;
