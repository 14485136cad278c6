//! The memory that an injection uses in the target, as `segment::injected` lays it out.

use super::{stub, Injection, Place};
use platform::tracing::{thread_attributes, Point, Refusal, Registers, Tracee, ATTRIBUTES_BYTES};
use segment::injected::{at, CODE_BYTES, REGION_BYTES, REGION_MAGIC, VECTOR_BYTES};
use segment::status::{Error, Result, Status};

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
    pub fn at(tracee: &mut Tracee, found: &Registers, place: &Place) -> Result<Self> {
        if place.region != 0 {
            return Ok(Self { base: place.region });
        }
        let sizes = (CODE_BYTES as u64, REGION_BYTES as u64);
        let base = tracee.map_code(found, place.syscall, sizes).map_err(|refusal| {
            let why = refused(refusal);
            Error::new(
                Status::Io,
                format!("{why}: the target's system gives it no memory for code"),
            )
        })?;
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
        let attributes = thread_attributes(CODE_BYTES as u64, THREAD_STACK_BYTES);
        page[at::ATTRIBUTES..at::ATTRIBUTES + ATTRIBUTES_BYTES].copy_from_slice(&attributes);
        page[at::TEXT..at::TEXT + request.code.len()].copy_from_slice(request.code.as_bytes());
        let write = |address: u64, bytes: &[u8]| tracee.write(address, bytes).map_err(refused);
        write(self.base, stub::code())?;
        write(self.base + CODE_BYTES as u64, &page)?;
        // xrstor wants the header behind the legacy area to be zero where xsave does not write
        write(self.base + (CODE_BYTES + at::VECTORS) as u64, &[0; 1024])
    }
}

// nothing overlaps, vector registers are aligned, and AMX fits
const _: () = assert!(
    at::FUNCTIONS + 7 * 8 <= at::ATTRIBUTES
        && at::ATTRIBUTES + ATTRIBUTES_BYTES <= at::TEXT
        && (CODE_BYTES + at::VECTORS) % 64 == 0
        && VECTOR_BYTES >= 11008
);

/// The error that a refusal of the system becomes.
pub(super) fn refused(refusal: Refusal) -> Error {
    match refusal {
        Refusal::Pending(why) => Error::new(Status::Pending, why),
        Refusal::Stuck => Error::new(Status::Unavailable, refusal.to_string()),
        Refusal::System(doing, error) => Error::io(doing, &error),
    }
}
