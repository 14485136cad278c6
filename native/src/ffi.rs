//! The C interface. No logic: each function checks what it is given, catches panics and answers with a status.

use crate::layout::{Event, FrameSlot, GcRecord, HandleSlot, Header, RingHeader, SiteSlot, ThreadSlot, TypeSlot};

/// `LAYOUT_VERSION` of this library.
#[no_mangle]
pub extern "C" fn ai_layout_version() -> u32 {
    crate::layout::LAYOUT_VERSION
}

/// Names every record of the schema so that the header declares them.
///
/// # Safety
/// Never dereferences its arguments.
#[no_mangle]
pub unsafe extern "C" fn ai_layout_records(
    _header: *const Header,
    _thread: *const ThreadSlot,
    _type: *const TypeSlot,
    _site: *const SiteSlot,
    _frame: *const FrameSlot,
    _handle: *const HandleSlot,
    _ring: *const RingHeader,
    _event: *const Event,
    _gc: *const GcRecord,
) {
}
