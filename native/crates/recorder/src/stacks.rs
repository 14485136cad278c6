//! Native call stacks: the return addresses of the calling thread, which the viewer names.
//!
//! Only at level *stacks*, and only if the host language offers nothing better: a walk along the
//! unwind tables costs about a microsecond a frame.

use std::ffi::c_void;

use crate::runtime::Runtime;
use crate::threads::local;
use segment::layout::SITE_FRAMES;

/// Frames that are walked at most; the recorder's own frames are dropped.
const WALKED: usize = 32;
/// Native frames kept of a stack that continues in the host language.
const KEPT_BELOW_HOST: usize = SITE_FRAMES / 2;
// `_URC_NO_REASON` and `_URC_END_OF_STACK`
const GO_ON: i32 = 0;
const ENOUGH: i32 = 5;

type Trace = unsafe extern "C" fn(*mut c_void, *mut c_void) -> i32;

extern "C" {
    fn _Unwind_Backtrace(trace: Trace, argument: *mut c_void) -> i32;
    fn _Unwind_GetIP(context: *mut c_void) -> usize;
    fn _Unwind_FindEnclosingFunction(address: *mut c_void) -> *mut c_void;
}

struct Walk {
    addresses: [u64; WALKED],
    count: usize,
}

unsafe extern "C" fn note(context: *mut c_void, argument: *mut c_void) -> i32 {
    // SAFETY: `addresses` passes a Walk that outlives the walk.
    let walk = unsafe { &mut *argument.cast::<Walk>() };
    if walk.count == WALKED {
        return ENOUGH;
    }
    // SAFETY: the context is the unwinder's.
    walk.addresses[walk.count] = unsafe { _Unwind_GetIP(context) } as u64;
    walk.count += 1;
    GO_ON
}

/// The return addresses of the calling thread, innermost first, from the caller of `function` on.
/// All of them when it is not on the stack.
fn addresses(function: usize) -> ([u64; WALKED], std::ops::Range<usize>) {
    let mut walk = Walk { addresses: [0; WALKED], count: 0 };
    // SAFETY: `note` gets the place of `walk`, which lives on.
    unsafe { _Unwind_Backtrace(note, (&raw mut walk).cast()) };
    let end =
        walk.addresses[..walk.count].iter().position(|&address| address == 0).unwrap_or(walk.count);
    let is_function = |&address: &u64| {
        // SAFETY: only looked up in the unwind tables.
        unsafe { _Unwind_FindEnclosingFunction((address - 1) as *mut c_void) as usize == function }
    };
    let found = walk.addresses[..end].iter().position(is_function);
    (walk.addresses, found.map_or(0, |at| at + 1).min(end)..end)
}

/// The site of the caller of `function`: its native frames, and below them the frames that the host
/// language reported for this thread.
#[cold]
#[inline(never)]
pub fn site_of_caller(runtime: &Runtime, function: usize) -> u32 {
    let outer = local(|local| local.site.get());
    let (addresses, range) = addresses(function);
    let kept = if outer == 0 { SITE_FRAMES } else { KEPT_BELOW_HOST };
    let frames = &addresses[range.start..range.end.min(range.start + kept)];
    if frames.is_empty() {
        return outer;
    }
    runtime.sites.intern_native(runtime.segment(), frames, outer, range.len() > kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[inline(never)]
    fn inner() -> usize {
        let (addresses, range) = addresses(inner as *const () as usize);
        assert!(range.start > 0, "the function itself is left out");
        assert!(addresses[range.clone()].iter().all(|&address| address != 0));
        range.len()
    }

    #[test]
    fn a_stack_begins_with_the_caller() {
        assert!(inner() > 0);
    }

    #[test]
    fn a_function_that_is_not_on_the_stack_leaves_it_whole() {
        let (_, range) = addresses(1);
        assert_eq!(range.start, 0);
        assert!(range.end > 1);
    }
}
