//! The viewer's store of a target's handles.
//!
//! A [`HandleStore`] keeps a copy of the segment's rows and everything that follows from them: which rows
//! are handles of one object, and the counts of each object. A reading costs as much as the rows
//! that changed. [`HandleStore::publish`] gives a [`HandleTable`]: frozen, narrow columns, one element a row.
//! Nothing here knows Python; all calls may be made without the interpreter's lock.

mod chains;
mod columns;
mod counts;
mod groups;
mod handles;
mod look;
mod marks;
mod moments;
mod order;
mod outers;
mod pool;
mod query;
mod rows;
mod store;
mod table;
mod threads;
mod words;
mod writing;

pub use columns::{Columns, HandleField};
pub use groups::GroupCounts;
pub use handles::{Kinds, Limits, Threads, KIND_CALL, KIND_FOREIGN, KIND_NUMBERED, KIND_OUTER};
pub use handles::{KIND_PINS, KIND_RUNS, KIND_SHARES, KIND_TRAIT};
pub use look::{look, TableLook, ThreadLook};
pub use order::{sorted, HandleOrder, Keys, Places, Question};
pub use query::{lines, Coded, Compared, Counting, LineCounts};
pub use store::HandleStore;
pub use table::{HandleTable, TableClock};

/// A count that is not known.
pub const UNKNOWN: i32 = -1;
/// Whether a question was given up: it ends with no answer soon after this is true.
pub type GivenUp<'a> = &'a (dyn Fn() -> bool + 'a);
