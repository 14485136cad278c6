//! Shown rows counted by type.

use std::collections::HashSet;

use super::order::Question;
use super::table::HandleTable;

/// Counts of the shown rows of one type.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupCounts {
    /// Index of the type.
    pub type_index: u64,
    /// Rows.
    pub rows: u64,
    /// Rows that are no tombstones.
    pub live: u64,
    /// Objects behind them.
    pub objects: u64,
    /// Live rows with a close that has not run.
    pub pending: u64,
    /// Live rows whose birth was not seen.
    pub unseen: u64,
    /// Birth of the oldest live row whose birth was seen; NaN: there is none.
    pub oldest_at: f64,
}

/// Types of shown rows, in their order.
pub(crate) struct Groups {
    groups: Vec<GroupCounts>,
    /// Some object has several rows, so that objects are counted in the order shown.
    are_shared: bool,
}

impl Groups {
    /// Count `rows`, which are in the table's order.
    pub(crate) fn of(table: &HandleTable, question: &Question<'_>, rows: &[u32]) -> Self {
        let columns = table.columns();
        let mut found: Vec<Option<(usize, GroupCounts)>> = Vec::new();
        let mut are_shared = false;
        for &row in rows {
            let type_index = usize::from(columns.types[row as usize]);
            if type_index >= found.len() {
                found.resize(type_index + 1, None);
            }
            let fresh = || (question.rank(table, row), GroupCounts::new(type_index));
            let (_, group) = found[type_index].get_or_insert_with(fresh);
            group.rows += 1;
            let row = row as usize;
            if !table.is_live(row) {
                continue;
            }
            let born = table.created_at(row);
            let is_alone = columns.addresses[row] == 0 || columns.alone[row] != 0;
            are_shared |= !is_alone;
            group.live += 1;
            group.objects += u64::from(is_alone);
            group.pending += u64::from(table.is_pending(row));
            group.unseen += u64::from(born.is_nan());
            // NaN gives way to any number
            group.oldest_at = group.oldest_at.min(born);
        }
        let mut ranked: Vec<_> = found.into_iter().flatten().collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        Self { groups: ranked.into_iter().map(|(_, group)| group).collect(), are_shared }
    }

    /// The first place of each type in the order shown, by the type's index.
    pub(crate) fn starts(&self) -> Vec<usize> {
        let types = self.groups.iter().map(|group| group.type_index as usize + 1).max();
        let (mut starts, mut start) = (vec![0; types.unwrap_or(0)], 0);
        for group in &self.groups {
            starts[group.type_index as usize] = start;
            start += group.rows as usize;
        }
        starts
    }

    /// The counts. An object with rows of several types counts where it is shown first.
    pub(crate) fn counted(mut self, table: &HandleTable, shown: &[u32]) -> Vec<GroupCounts> {
        if self.are_shared {
            let columns = table.columns();
            let (mut seen, mut start) = (HashSet::new(), 0);
            for group in &mut self.groups {
                let stop = start + group.rows as usize;
                for row in shown[start..stop].iter().map(|&row| row as usize) {
                    let address = columns.addresses[row];
                    let is_shared = address != 0 && columns.alone[row] == 0;
                    if is_shared && table.is_live(row) && seen.insert(address) {
                        group.objects += 1;
                    }
                }
                start = stop;
            }
        }
        self.groups
    }
}

impl GroupCounts {
    fn new(type_index: usize) -> Self {
        Self {
            type_index: type_index as u64,
            rows: 0,
            live: 0,
            objects: 0,
            pending: 0,
            unseen: 0,
            oldest_at: f64::NAN,
        }
    }
}
