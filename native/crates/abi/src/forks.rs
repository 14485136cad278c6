//! The locks of this crate that a fork holds.

use recorder::fork::{Rank, Section};

use crate::{futures, holding, library, stubs};

static SECTION: Section = Section::new(Rank::Holding, hold, release, |_| ());

fn hold() {
    library::hold();
    holding::hold();
    futures::hold();
    stubs::hold();
}

/// # Safety
/// After `hold`, by the same thread or its copy in the child.
unsafe fn release() {
    // SAFETY: the caller's promise.
    unsafe {
        stubs::release();
        futures::release();
        holding::release();
        library::release();
    }
}

/// Takes part in forks; before the first use.
pub fn join() {
    SECTION.join();
}
