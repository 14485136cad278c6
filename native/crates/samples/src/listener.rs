//! An object of the host language that native code holds.

use super::{TodoItem, ORIGIN};
use objects::host_gate;
use objects::object::Life;
use objects::object::Object;
use objects::object::TypeSpec;
use objects::object::{Edges, Reports};
use objects::ownership;
use objects::ownership::{plain, reporting, Traced};
use recorder::rows::{self, NewRow};
use recorder::runtime::runtime;
use recorder::types;
use recorder::types::Described;
use segment::layout::{Kind, ReferenceState};

static LISTENER: TypeSpec = reporting::<Listener>(plain::<Listener>("Listener", ORIGIN));

/// The kind of news for a listener.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A list has a new item; the handle names it and belongs to the listener.
    ItemAdded = 1,
}

/// Calls the host language's object: key, kind of news, handle.
pub type Notify = unsafe extern "C" fn(u64, u32, u64);
/// Releases the host language's object.
pub type Let = unsafe extern "C" fn(u64);

/// The native side of a foreign object. As long as it lives, the foreign object does, and has a row
/// of its own.
pub struct Listener {
    life: Life,
    notify: Notify,
    drop: Let,
    key: u64,
    /// The foreign object's row, 0: the table had no place.
    row: u64,
}

// SAFETY: the static was made for this type and is returned here alone.
unsafe impl Object for Listener {
    fn spec() -> &'static TypeSpec {
        &LISTENER
    }

    fn life(&self) -> &Life {
        &self.life
    }
}

impl Reports for Listener {
    fn report(&self, edges: &mut Edges<'_>) {
        edges.foreign("callback", self.row);
    }
}

impl Listener {
    /// Holds the foreign object `key`.
    ///
    /// # Safety
    /// Both functions can be called with `key` from any thread; `notify` until `drop` was called,
    /// which happens once.
    pub unsafe fn new(notify: Notify, drop: Let, key: u64) -> Self {
        Self { life: Life::new(&LISTENER), notify, drop, key, row: foreign_row(key).unwrap_or(0) }
    }

    /// Informs the foreign object; it is given a handle of its own. Nothing is sent when the table
    /// has no place for that.
    pub fn notify(&self, notice: Notice, item: Traced<TodoItem>) {
        if let Ok(handle) = item.lower() {
            // SAFETY: the promise made to `new`; `self` lives, so `drop` was not called.
            let is_told =
                host_gate::call(|| unsafe { (self.notify)(self.key, notice as u32, handle) });
            if !is_told {
                // ours again, and live
                let _ = ownership::release(runtime(), handle);
            }
        }
    }
}

fn foreign_row(key: u64) -> segment::status::Result<u64> {
    let described = Described {
        name: "Listener (foreign)",
        origin: ORIGIN,
        close_signature: "",
        kind: Kind::Foreign as u8,
        closes: false,
        is_thread_affine: false,
        size_bytes: 0,
        data_offset: 0,
    };
    let type_id = types::describe(runtime(), &described)?;
    let row =
        NewRow { type_id, address: 0, data: key, owner: 0, is_foreign: true, is_born_now: true };
    rows::add(runtime(), &row)
}

impl Drop for Listener {
    fn drop(&mut self) {
        if self.row != 0 {
            // ended already only if an adapter cleared it
            let _ = rows::end(runtime(), self.row, ReferenceState::Released);
        }
        // SAFETY: the promise made to `new`; this happens once.
        host_gate::call(|| unsafe { (self.drop)(self.key) });
    }
}
