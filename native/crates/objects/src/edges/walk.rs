//! The walk over all live objects that report the objects they hold.

use std::collections::HashSet;

use crate::object::{spec_of, Edges, Found};
use recorder::runtime::Runtime;
use recorder::threads::Pin;
use segment::registry::{handle_of, is_current};
use segment::Part;

/// Every edge of a live object of a reporting type, and the edges of the objects without handles
/// behind it.
pub fn all(runtime: &Runtime) -> Found {
    let (mut found, mut seen) = (Found::default(), HashSet::new());
    for index in 1..runtime.segment().used(Part::Handles) {
        let Some(slot) = runtime.table.slot(index) else { continue };
        let word = slot.word0();
        let reports = word.is_live()
            && spec_of(runtime, word.type_id()).is_some_and(|spec| spec.report.is_some());
        if reports {
            visit(runtime, handle_of(word.generation(), index, false), &mut found, &mut seen);
        }
    }
    found
}

/// The edges of the object that a handle names; none when it is not live, or reports nothing.
pub fn of_handle(runtime: &Runtime, handle: u64) -> Found {
    let (mut found, mut seen) = (Found::default(), HashSet::new());
    visit(runtime, handle, &mut found, &mut seen);
    found
}

fn visit(runtime: &Runtime, handle: u64, found: &mut Found, seen: &mut HashSet<u64>) {
    // keeps the object; shows for a moment as a call of the tool's thread
    let _pin = Pin::new(runtime, handle);
    let Some(slot) = runtime.table.slot_of(handle) else { return };
    let word = slot.word0();
    if !is_current(word, handle) || !word.is_live() || !seen.insert(slot.address()) {
        return;
    }
    let Some(spec) = spec_of(runtime, word.type_id()) else { return };
    let Some(report) = spec.report else { return };
    let mut edges = Edges::of(slot.address(), spec.name, found, seen);
    // SAFETY: the row is live and of this type, and the pin was shown before that was looked at:
    // the object lives through the call.
    unsafe { report(slot.data(), &mut edges) };
}
