//! Rows of calls that run on proxies.
//!
//! A call that two readings meet has a row: a shorter call ends before anybody could look at it.

use recorder::rows::{self, NewRow};
use recorder::runtime::Runtime;
use recorder::type_table::Described;
use recorder::types;
use segment::layout::{Kind, ReferenceState};

use crate::bindings::Binding;
use crate::callers::FoundCall;

/// The calls of one proxy.
#[derive(Default)]
pub struct Calls {
    count: i64,
    rows: Vec<u64>,
}

impl Calls {
    /// The proxy says that so many calls run. Whether rows are wanted for them.
    pub fn say(&mut self, runtime: &Runtime, count: i64) -> bool {
        let is_same = count == self.count;
        if !is_same {
            self.end(runtime);
            self.count = count;
        }
        is_same && count > 0 && self.rows.is_empty()
    }

    /// Whether calls run.
    pub fn are_any(&self) -> bool {
        self.count > 0
    }

    /// Makes the rows. `found` are the calls on stacks, if they can be of no other proxy.
    pub fn show(
        &mut self,
        runtime: &Runtime,
        binding: &Binding,
        address: u64,
        found: &[FoundCall],
    ) {
        for place in 0..usize::try_from(self.count).unwrap_or_default() {
            let call = found.get(place);
            let row = type_of(runtime, binding, call).and_then(|type_id| {
                let data = call.and_then(|call| call.tid).unwrap_or(0);
                let row = NewRow {
                    type_id,
                    address,
                    data: u64::from(data),
                    owner: 0,
                    is_foreign: false,
                    is_born_now: false,
                };
                rows::add_standing(runtime, &row, call.map_or(0, |call| call.site)).ok()
            });
            let Some(row) = row else { break };
            self.rows.push(row);
        }
    }

    /// Ends the rows: the calls have returned, or others came.
    pub fn end(&mut self, runtime: &Runtime) {
        for row in self.rows.drain(..) {
            // a row that another hand has ended needs no end
            let _ = rows::end(runtime, row, ReferenceState::Released);
        }
        self.count = 0;
    }
}

/// A call whose thread is known runs on it; any other is a call that has not ended.
fn type_of(runtime: &Runtime, binding: &Binding, call: Option<&FoundCall>) -> Option<u16> {
    let on_thread = call.filter(|call| call.tid.is_some());
    let described = Described {
        name: on_thread.map_or(&*binding.of_calls_name, |call| &call.name),
        origin: &binding.package,
        close_signature: "",
        kind: if on_thread.is_some() { Kind::UniffiRunning } else { Kind::UniffiCall } as u8,
        closes: false,
        is_thread_affine: false,
        size_bytes: 0,
        data_offset: 0,
    };
    types::describe(runtime, &described).ok()
}
