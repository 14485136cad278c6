//! Closing an object of a strategy other than `arc`: a type that opts in says how its resource
//! ends, and the caller may give arguments of its own.
//!
//! The lifecycle handles the request itself, its wait and its single run; here is only the way from
//! a handle to the object.

use crate::lifecycle::{self, Run};
use crate::object::index_of;
use crate::object::{CloseSpec, TypeSpec};
use recorder::events;
use recorder::runtime::runtime;
use segment::status::{Error, Result, Status};

/// An object whose resource ends in a call that has it to itself.
pub trait CloseAlone {
    /// Ends the resource with default arguments. Runs at most once, with no call in flight.
    fn close_with_defaults(&mut self) -> Result<()>;
}

/// An object whose resource ends in a call, during which native code may continue to use it.
pub trait CloseShared {
    /// As for [`CloseAlone`].
    fn close_with_defaults(&self) -> Result<()>;
}

/// The close of a map's objects: the words for people, and the close with default arguments.
#[derive(Clone, Copy)]
pub(super) struct Closing {
    pub spec: CloseSpec,
    /// Takes the data pointer of a living object of the map.
    pub close: unsafe fn(u64) -> Result<()>,
}

impl Closing {
    /// For a type's specification.
    pub const fn spec(closing: Option<&Self>) -> Option<CloseSpec> {
        match closing {
            Some(closing) => Some(closing.spec),
            None => None,
        }
    }

    /// For a type's operations.
    pub const fn operation(closing: Option<&Self>) -> unsafe fn(u64) -> Result<()> {
        match closing {
            Some(closing) => closing.close,
            None => refuse_close,
        }
    }
}

/// Asks for the close of a handle's object, which has to be of the type `spec`.
pub(super) fn request(spec: &'static TypeSpec, handle: u64, run: Run) -> Result<()> {
    let runtime = runtime();
    let wanted = index_of(runtime, spec)?;
    let is_its = runtime.table.slot_of(handle).is_some_and(|slot| slot.word0().type_id() == wanted);
    if !is_its {
        let error = lifecycle::refusal(runtime, handle, wanted);
        events::misuse(runtime, error.status, handle);
        return Err(error);
    }
    // a row changes its type only with its generation, and `request` refuses another generation
    lifecycle::request(runtime, handle, run)
}

/// # Safety
/// None: it looks at nothing.
unsafe fn refuse_close(_data: u64) -> Result<()> {
    Err(Error::new(Status::BadArgument, "the type does not close"))
}
