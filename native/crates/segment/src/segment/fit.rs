//! The segment for which there is room: a smaller segment in scarce address space, and in the end a
//! segment in the program's own data.

use std::cell::UnsafeCell;
use std::fs::File;
use std::io;
use std::ptr::NonNull;

use platform::limits;

use super::{map_new, Backing, Capacities, Plan, Segment};

/// The sections of which a process can need many get smaller by these powers of two.
const SHIFTS: [u32; 3] = [0, 3, 6];
/// The smallest of these segments; it is tried in any case.
const SMALLEST_BYTES: u64 = 6 << 20;
/// Larger segments take no more than this part of the free address space.
const SHARE: u64 = 8;
/// Address space that an agent takes after its segment, for threads, modules and tables, and as much
/// again for the program: an allocation of ours that fails would end the process.
const AGENT_BYTES: u64 = 32 << 20;
/// In the order of `Part`, for the last resort: few records of each part; losses are counted.
const FEWEST: Capacities = Capacities { records: [16, 64, 2, 2, 64, 64, 1] };
const FEWEST_BYTES: usize = 256 << 10;

/// Untouched, and so without memory, unless it is needed.
#[repr(align(4096))]
struct Last(UnsafeCell<[u8; FEWEST_BYTES]>);

// SAFETY: only its address is taken, once, for a segment, which does all access by atomics.
unsafe impl Sync for Last {}

static LAST: Last = Last(UnsafeCell::new([0; FEWEST_BYTES]));

impl Segment {
    /// The largest segment for which there is room: in `file` or, with the reason, in private
    /// memory. For the one segment of the process.
    pub fn fit(file: Option<File>) -> (Self, Option<io::Error>) {
        let mut refusal = None;
        if let Some(file) = file {
            for plan in plans().filter(is_modest).filter(leaves_room) {
                match map_new(Some(&file), &plan) {
                    Ok(base) => return Self::with_file(base, plan, file),
                    // the first error is about the usual size
                    Err(error) => refusal = refusal.or(Some(error)),
                }
            }
            refusal = refusal.or_else(|| Some(platform::out_of_memory()));
        }
        let private = plans()
            .filter(is_modest)
            .find_map(|plan| map_new(None, &plan).ok().map(|base| Self::over(base, plan, None)));
        (private.unwrap_or_else(Self::last), refusal)
    }

    /// Without a descriptor of the file it cannot get a name: then the memory counts as private.
    fn with_file(base: NonNull<u8>, plan: Plan, file: File) -> (Self, Option<io::Error>) {
        let (backing, refusal) = match Backing::new(file) {
            Ok(backing) => (Some(backing), None),
            Err(error) => (None, Some(error)),
        };
        (Self::over(base, plan, backing), refusal)
    }

    fn last() -> Self {
        let plan = Plan::new(FEWEST);
        assert!(plan.bytes <= FEWEST_BYTES as u64, "the last resort is too small");
        // SAFETY: the address of a static is not NULL.
        Self::over(unsafe { NonNull::new_unchecked(LAST.0.get().cast()) }, plan, None)
    }
}

/// Whether a plan leaves the program most of the address space that it still may take.
fn is_modest(plan: &Plan) -> bool {
    let is_smallest = plan.bytes <= SMALLEST_BYTES;
    limits::address_space_left().is_none_or(|left| plan.bytes <= left / SHARE || is_smallest)
}

/// Whether an agent can live beside a plan.
fn leaves_room(plan: &Plan) -> bool {
    limits::address_space_left().is_none_or(|left| plan.bytes + AGENT_BYTES <= left)
}

fn plans() -> impl Iterator<Item = Plan> {
    SHIFTS.into_iter().map(|shift| {
        let [threads, types, many @ ..] = Capacities::default().records;
        let [sites, frames, strings, handles, rings] = many.map(|count| count >> shift);
        Plan::new(Capacities { records: [threads, types, sites, frames, strings, handles, rings] })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Part;

    #[test]
    fn one_size_is_tried_whatever_is_left() {
        assert!(plans().last().is_some_and(|plan| plan.bytes <= SMALLEST_BYTES));
    }

    #[test]
    fn the_last_resort_holds_a_few_of_everything() {
        let segment = std::mem::ManuallyDrop::new(Segment::last());
        assert!((0..64).all(|index| segment.reserve(Part::Types, index, 1)));
        assert!(!segment.reserve(Part::Types, 64, 1));
        assert!(!segment.has_file());
    }
}
