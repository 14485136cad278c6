//! The memory that an injection uses in the target, as `segment::injected` lays it out.

use super::registers::Point;
use super::tracee::Tracee;
use super::{stub, Injection, Place};
use segment::injected::{at, CODE_BYTES, REGION_BYTES, REGION_MAGIC, VECTOR_BYTES};
use segment::status::{Error, Result, Status};

/// Offsets of the words that are set in glibc's `pthread_attr_t` on x86-64; all else is zero, as
/// `pthread_attr_init` leaves it.
mod attribute {
    /// Bytes of the guard behind the stack.
    pub const GUARD: usize = 16;
    /// Bytes of the stack.
    pub const STACK: usize = 32;
    /// Size of the structure.
    pub const BYTES: usize = 56;
}

/// Stack of the new thread, which imports the agent: the usual size of the program's threads may be
/// too small.
const THREAD_STACK_BYTES: u64 = 2 << 20;

/// A region in a stopped target.
pub struct Region {
    /// Its first byte.
    pub base: u64,
}

impl Region {
    /// The region of an earlier injection, or a new region, made by the stopped thread. That
    /// changes the thread's registers.
    pub fn at(tracee: &mut Tracee, found: &libc::user_regs_struct, place: &Place) -> Result<Self> {
        if place.region != 0 {
            return Ok(Self { base: place.region });
        }
        // Executable from the start, and never writable as well: such a mapping is allowed where
        // memory may not become executable later (systemd's MemoryDenyWriteExecute, PR_SET_MDWE).
        // `Tracee::write` ignores the protection.
        let executable = (libc::PROT_READ | libc::PROT_EXEC) as u64;
        let writable = (libc::PROT_READ | libc::PROT_WRITE) as u64;
        let flags = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS) as u64;
        let (code, bytes) = (CODE_BYTES as u64, REGION_BYTES as u64);
        let refused = |refusal: Error| {
            Error::new(
                Status::Io,
                format!("{refusal}: the target's system gives it no memory for code"),
            )
        };
        let asked = [0, bytes, executable, flags, u64::MAX, 0];
        let base = tracee.call(found, place.syscall, libc::SYS_mmap, asked).map_err(refused)?;
        if let Err(refusal) = tracee.call(
            found,
            place.syscall,
            libc::SYS_mprotect,
            [base + code, bytes - code, writable, 0, 0, 0],
        ) {
            tracee.call(found, place.syscall, libc::SYS_munmap, [base, bytes, 0, 0, 0, 0])?;
            return Err(refused(refusal));
        }
        Ok(Self { base })
    }

    /// Write stub, words and text.
    pub fn fill(
        &self,
        tracee: &Tracee,
        request: &Injection,
        point: &Point,
        mask: u64,
    ) -> Result<()> {
        let mut page = vec![0_u8; at::STACK_BOTTOM];
        let mut put = |offset: usize, value: u64| {
            page[offset..offset + 8].copy_from_slice(&value.to_le_bytes())
        };
        put(0, REGION_MAGIC);
        put(at::BORROWED, request.place.tid.into());
        put(at::GOES_ON, point.rip);
        put(at::MASK, mask);
        let called = &request.place.functions;
        let table = [
            called.create,
            called.own,
            called.detach,
            called.is_initialized,
            called.ensure,
            called.run,
            called.release,
        ];
        for (number, address) in table.into_iter().enumerate() {
            put(at::FUNCTIONS + number * 8, address);
        }
        let attributes = at::ATTRIBUTES;
        put(attributes + attribute::GUARD, CODE_BYTES as u64);
        put(attributes + attribute::STACK, THREAD_STACK_BYTES);
        page[at::TEXT..at::TEXT + request.code.len()].copy_from_slice(request.code.as_bytes());
        tracee.write(self.base, stub::code())?;
        tracee.write(self.base + CODE_BYTES as u64, &page)?;
        // xrstor wants the header behind the legacy area to be zero where xsave does not write
        tracee.write(self.base + (CODE_BYTES + at::VECTORS) as u64, &[0; 1024])
    }
}

// nothing overlaps, vector registers are aligned, and AMX fits
const _: () = assert!(
    at::FUNCTIONS + 7 * 8 <= at::ATTRIBUTES
        && at::ATTRIBUTES + attribute::BYTES <= at::TEXT
        && (CODE_BYTES + at::VECTORS) % 64 == 0
        && VECTOR_BYTES >= 11008
);

#[cfg(all(test, target_arch = "x86_64", target_env = "gnu"))]
mod tests {
    use super::*;

    #[test]
    fn the_attributes_are_those_that_the_c_library_would_write() {
        let (mut usual, mut ours) = ([0_u8; attribute::BYTES], [0_u8; attribute::BYTES]);
        // SAFETY: attributes are as many bytes.
        unsafe {
            libc::pthread_attr_init(usual.as_mut_ptr().cast());
            libc::pthread_attr_setstacksize(usual.as_mut_ptr().cast(), THREAD_STACK_BYTES as usize);
        }
        let mut put =
            |at: usize, value: u64| ours[at..at + 8].copy_from_slice(&value.to_le_bytes());
        put(attribute::GUARD, CODE_BYTES as u64);
        put(attribute::STACK, THREAD_STACK_BYTES);
        assert_eq!(ours, usual);
    }
}
