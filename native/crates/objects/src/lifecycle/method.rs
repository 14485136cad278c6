//! How the object of a handle closes with its type's default arguments.

use super::host_close;
use super::lives::{names, Run};
use crate::object::spec_of;
use recorder::events;
use recorder::runtime::Runtime;
use recorder::types;
use segment::registry::shown;
use segment::status::{Error, Result, Status};

/// A type's close method.
pub(super) enum Method {
    /// Takes the data pointer of a living object of the type.
    Native(unsafe fn(u64) -> Result<()>),
    /// The host language's.
    Foreign,
}

impl Method {
    /// The method as the code of a request.
    pub fn run(self) -> Run {
        match self {
            // SAFETY: a `Run` is called with the data pointer of a living object of the handle's
            // type.
            Self::Native(close) => Box::new(move |data| unsafe { close(data) }),
            Self::Foreign => host_close::default_run(),
        }
    }
}

/// The close method of a handle's type, if it is live and closes.
pub(super) fn method_of(runtime: &Runtime, handle: u64) -> Result<Method> {
    let word = runtime.table.slot_of(handle).map(|slot| slot.word0());
    let Some(word) = word.filter(|&word| names(runtime, word, handle) && word.is_live()) else {
        let error = super::refusal(runtime, handle, 0);
        events::misuse(runtime, error.status, handle);
        return Err(error);
    };
    if let Some(spec) = spec_of(runtime, word.type_id()).filter(|spec| spec.close.is_some()) {
        return Ok(Method::Native(spec.operations.close));
    }
    if host_close::closes(runtime, word.type_id()) {
        return Ok(Method::Foreign);
    }
    let name = types::name_of(runtime, word.type_id());
    Err(Error::new(
        Status::BadArgument,
        format!("its type does not close: {} ({name})", shown(handle)),
    ))
}
