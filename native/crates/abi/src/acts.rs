//! The work of ours in calls of a library's functions.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::slice;

use platform::keep_errno;
use recorder::runtime::count_panic;

use crate::buffers;
use crate::classes::Class;
use crate::futures::{self, Pending};
use crate::library::Described;
use crate::rows;
use crate::types::Type;

/// Larger buffers are not looked through.
const MOST_BYTES: u64 = 64 << 20;

/// The result of a function that can give handles to the host.
#[derive(Debug)]
pub enum Outcome {
    /// A handle.
    Handle(&'static Class),
    /// A buffer with handles in it.
    Values(&'static Described, Type),
}

/// The work in the calls of one function.
#[derive(Debug)]
pub enum Act {
    /// The function gives handles.
    Give(&'static Outcome),
    /// The function begins an asynchronous call and returns its future.
    Begin(Call),
    /// The host takes the result of a future. `has_place`: it gave the place for the result.
    Complete {
        /// Then the future is the second argument.
        has_place: bool,
    },
    /// The host frees a future.
    EndFuture,
    /// The host clones a handle for a call.
    Clone(&'static Class),
    /// The host releases a handle.
    Free(&'static Class),
}

/// An asynchronous function.
#[derive(Debug)]
pub struct Call {
    /// Its name, for viewers.
    pub name: String,
    /// Crate.
    pub origin: String,
    /// The class of its first argument.
    pub receiver: Option<&'static Class>,
    /// Its result, if that can give handles.
    pub outcome: Option<&'static Outcome>,
}

/// A buffer of UniFFI's.
#[repr(C)]
struct Buffer {
    capacity: u64,
    length: u64,
    data: *const u8,
}

/// Runs before a function.
///
/// # Safety
/// Called by the route of an entry with its act and the function's first argument.
pub unsafe extern "C" fn before(act: *const (), first: u64) {
    // SAFETY: the caller's promise: NULL, or an act that is never freed.
    let Some(act) = (unsafe { act.cast::<Act>().as_ref::<'static>() }) else { return };
    quietly(|| match act {
        Act::Clone(class) => rows::cloned(class, first),
        Act::Free(class) => rows::freed(class, first),
        Act::EndFuture => {
            if let Some(pending) = futures::end(first) {
                rows::call_ended(pending.row);
            }
        }
        _ => {}
    });
}

/// Runs after a function, with its result and its first two arguments.
///
/// # Safety
/// Called by the route of an entry with its act; the result is the function's.
pub unsafe extern "C" fn around(act: *const (), result: u64, first: u64, second: u64) {
    // SAFETY: the caller's promise: NULL, or an act that is never freed.
    let Some(act) = (unsafe { act.cast::<Act>().as_ref::<'static>() }) else { return };
    quietly(|| match act {
        // SAFETY: the caller's promise.
        Act::Give(outcome) => unsafe { deliver(outcome, result) },
        Act::Begin(call) => begin(call, result, first),
        Act::Complete { has_place } => {
            if let Some(pending) = futures::get(if *has_place { second } else { first }) {
                if let Some(outcome) = pending.outcome {
                    // SAFETY: the caller's promise.
                    unsafe { deliver(outcome, result) };
                }
            }
        }
        _ => {}
    });
}

/// A failure of ours must not reach the program, and the program must not see a trace of it.
fn quietly(body: impl FnOnce()) {
    keep_errno(|| {
        if catch_unwind(AssertUnwindSafe(body)).is_err() {
            count_panic();
        }
    });
}

/// # Safety
/// `result` is what a function with this outcome returned just now.
unsafe fn deliver(outcome: &'static Outcome, result: u64) {
    match outcome {
        Outcome::Handle(class) => rows::born(class, result, true),
        Outcome::Values(library, of) => {
            // SAFETY: a function that returns a buffer returns its place, which its caller gave.
            let Some(buffer) = (unsafe { (result as *const Buffer).as_ref() }) else { return };
            if buffer.data.is_null() || buffer.length > MOST_BYTES {
                return;
            }
            // SAFETY: the library has filled the buffer, and its owner has not got it yet.
            let bytes = unsafe { slice::from_raw_parts(buffer.data, buffer.length as usize) };
            // bytes of another form than the metadata say: their handles get rows when they are
            // used
            for found in buffers::handles(library.types(), of, bytes).unwrap_or_default() {
                rows::born(library.class(found.class, found.implementation), found.handle, true);
            }
        }
    }
}

fn begin(call: &'static Call, future: u64, receiver: u64) {
    let address = call
        .receiver
        .filter(|class| class.is_of_rust(receiver))
        .map_or(0, |class| class.layout().address_read(receiver));
    let row = rows::call_began(&call.name, &call.origin, address, future);
    futures::begin(future, Pending { outcome: call.outcome, row });
}
