//! Sample objects: a small application's worth of the runtime, for the demo, the tests and the
//! benchmarks.

mod churn;
mod cursor;
mod elsewhere;
mod journal;
mod journals;
mod listener;
mod lists;
mod pages;
mod planner;
mod todo;

pub use churn::Churn;
pub use cursor::Cursor;
pub use elsewhere::{release_elsewhere, Moment};
pub use journal::Journal;
pub use journals::{Guarded, Journals, SERIAL_JOURNALS, SHARED_JOURNALS, THIN_JOURNALS};
pub use listener::{Listener, Notice};
pub use lists::{Items, Lists, SERIAL_LISTS, SHARED_LISTS, THIN_LISTS};
pub use pages::Pages;
pub use planner::{Board, Focus, Planner};
pub use todo::{lower_all, TodoItem, TodoList};

use std::sync::{Mutex, MutexGuard, TryLockError};

/// Origin of the sample types.
const ORIGIN: &str = "arc_inspector.samples";

/// A mutex, if no thread holds it; an earlier holder may have panicked: the samples' data is whole
/// at every step.
fn try_locked<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}
