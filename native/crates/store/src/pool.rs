//! Columns that tables give back when they end.

use std::sync::{Arc, Mutex, PoisonError};

use super::columns::Columns;

/// Sets of free columns, which the next table may take over.
const SPARE: usize = 1;

/// Columns and the version of the store that they show.
pub(crate) struct Used {
    pub columns: Columns,
    pub version: u64,
    pub moves: u64,
}

/// Columns that are free; tables give theirs back when they end, on any thread.
pub(crate) type Pool = Arc<Mutex<Vec<Used>>>;

/// Give columns back, unless enough are spare.
pub(crate) fn give_back(pool: &Pool, used: Used) {
    let mut pool = pool.lock().unwrap_or_else(PoisonError::into_inner);
    if pool.len() < SPARE {
        pool.push(used);
    }
}
