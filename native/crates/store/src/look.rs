//! Facts of a table that take a look at all its rows, in one pass.

use super::columns::PROXIES;
use super::moments::{earlier, Moments};
use super::table::HandleTable;
use segment::layout::ResourceState;

/// Facts about all rows.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TableLook {
    /// Objects that live handles name: each of an object's *n* handles counts as 1 / *n*.
    pub objects: f64,
    /// The last birth or change of a row, seconds since the Unix epoch; minus infinity: unknown.
    pub newest_change: f64,
    /// The earliest last change of a dead row; infinity: there is none, or it is not known.
    pub oldest_death: f64,
}

/// Live rows counted by thread; an element for each index of a thread.
#[derive(Debug, Default)]
pub struct ThreadLook {
    /// Created on the thread.
    pub created: Vec<u64>,
    /// Owned by the thread.
    pub owned: Vec<u64>,
    /// Their close waits for the thread.
    pub waiting: Vec<u64>,
}

/// Look at all rows; threads with an index from `threads` on are left out.
pub fn look(table: &HandleTable, threads: usize) -> (TableLook, ThreadLook) {
    let columns = table.columns();
    let mut facts =
        TableLook { objects: 0.0, newest_change: f64::NEG_INFINITY, oldest_death: f64::INFINITY };
    let zeros = || vec![0; threads];
    let mut found = ThreadLook { created: zeros(), owned: zeros(), waiting: zeros() };
    let moments = Moments::new(*table.clock(), f64::INFINITY);
    let (mut newest, mut death) = (None, None);
    for row in 0..columns.len() {
        let changed_at = moments.since(columns.changed_at[row]);
        newest = newest.max(moments.since(columns.created_at[row])).max(changed_at);
        if !table.is_live(row) {
            death = earlier(death, changed_at);
            continue;
        }
        facts.objects += 1.0 / f64::from(columns.counts[PROXIES][row].max(1));
        let owner = usize::from(columns.threads[2][row]);
        if let Some(count) = found.created.get_mut(usize::from(columns.threads[0][row])) {
            *count += 1;
        }
        if let Some(count) = found.owned.get_mut(owner) {
            *count += 1;
        }
        if columns.resources[row] == ResourceState::WaitingOwner as u8 {
            if let Some(count) = found.waiting.get_mut(owner) {
                *count += 1;
            }
        }
    }
    // NaN gives way to any number
    facts.newest_change = facts.newest_change.max(moments.secs(newest));
    facts.oldest_death = facts.oldest_death.min(moments.secs(death));
    (facts, found)
}
