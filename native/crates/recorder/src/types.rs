//! Types: their description, and their facts in the table.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::moving;
use crate::runtime::Runtime;
use segment::atomic;
use segment::layout::Kind;
use segment::status::Result;
use segment::Part;

pub use crate::type_table::{Described, Types};

/// The index of a described type; the same name, origin and kind give the same.
pub fn describe(runtime: &Runtime, described: &Described<'_>) -> Result<u16> {
    if (Kind::Arc as u8..=Kind::Foreign as u8).contains(&described.kind) {
        moving::own_begins(runtime);
    }
    runtime.types.describe(runtime.segment(), described)
}

/// The kind of a type.
pub fn kind_of(runtime: &Runtime, index: u16) -> u8 {
    atomic!(AtomicU8, runtime.segment().type_slot(u32::from(index)), kind).load(Ordering::Relaxed)
}

/// Whether a type closes.
pub fn closes(runtime: &Runtime, index: u16) -> bool {
    atomic!(AtomicU8, runtime.segment().type_slot(u32::from(index)), closes).load(Ordering::Relaxed)
        != 0
}

/// Whether only the thread that made a handle of a type may close its object.
pub fn is_thread_affine(runtime: &Runtime, index: u16) -> bool {
    atomic!(AtomicU8, runtime.segment().type_slot(u32::from(index)), thread_affine)
        .load(Ordering::Relaxed)
        != 0
}

/// A type's name, for people.
pub fn name_of(runtime: &Runtime, index: u16) -> String {
    if index == 0 || u32::from(index) >= runtime.segment().used(Part::Types) {
        return "an unknown type".to_owned();
    }
    let slot = runtime.segment().type_slot(u32::from(index));
    let bytes = (0..128)
        .map(|at| atomic!(AtomicU8, slot, name[at]).load(Ordering::Relaxed))
        .take_while(|&byte| byte != 0);
    String::from_utf8_lossy(&bytes.collect::<Vec<u8>>()).into_owned()
}
