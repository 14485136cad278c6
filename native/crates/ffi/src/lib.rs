//! The C interface of Python and of viewers, above the interface of programs. No logic: each function checks its arguments, catches panics and returns a
//! status.

pub mod adapters;
pub mod classes;
pub mod compound;
pub mod control;
pub mod edges;
pub mod elf;
pub mod extension;
pub mod follow;
pub mod foreign;
pub mod handles;
pub mod inject;
pub mod instances;
pub mod journals;
pub mod jvm;
pub mod outside;
pub mod preload;
pub mod proxies;
pub mod questions;
pub mod quick;
pub mod reader;
pub mod samples;
pub mod store;
pub mod strategies;
pub mod sweep;
pub mod symbols;
pub mod whatif;

pub use capi::{
    ai_buffer_free, ai_keep_quiet, bytes, catch, catch_result, catch_value, panicked, place,
    remember, report, text, AiBuffer, AiError, AiText,
};
pub use capi::{levels, recorder, rows};

use segment::layout::{
    Event, FrameSlot, GcRecord, HandleSlot, Header, RingHeader, SiteSlot, ThreadSlot, TypeSlot,
};

/// `LAYOUT_VERSION` of this library.
#[no_mangle]
pub extern "C" fn ai_layout_version() -> u32 {
    segment::layout::LAYOUT_VERSION
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
