//! Processors for which there is no stub: every request is refused, and no process is touched.

use super::request::{Injected, Injection};
use segment::status::{Error, Result, Status};

/// The effect of a stop on a wait of another process's thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Not to be borrowed, and not to be stopped.
    Untouchable = 0,
}

/// Refused.
pub fn inject(_request: &Injection, _injected: &mut Injected) -> Result<()> {
    refused()
}

/// Refused.
pub fn nudge(_pid: u32, _tid: u32) -> Result<bool> {
    refused()
}

/// No thread is stopped here.
pub fn wait_of(_number: i64, _second: u64) -> Wait {
    Wait::Untouchable
}

fn refused<T>() -> Result<T> {
    Err(Error::new(Status::Unavailable, "code can be injected on x86-64 processors only"))
}
