//! Columns of a moment, written into memory that an earlier table gave back.

use std::sync::PoisonError;

use super::columns::Columns;
use super::handles::HandleSlotView;
use super::pool::Used;
use super::store::{HandleStore, AHEAD};
use segment::cpu::prefetch;

impl HandleStore {
    /// Columns of this moment: those of an earlier table with the changes since, or all anew.
    pub(crate) fn write(&mut self) -> Used {
        if !self.changed.is_empty() {
            self.version += 1;
            self.log.push_back(self.changed.take());
        }
        let room = self.rows.len() / 2;
        while self.log.iter().map(Vec::len).sum::<usize>() > room && !self.log.is_empty() {
            self.log.pop_front();
        }
        let oldest = self.version - self.log.len() as u64;
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = (0..pool.len()).max_by_key(|&place| pool[place].version);
        let taken = newest.map(|place| pool.swap_remove(place));
        drop(pool);
        let Used { mut columns, version, moves } =
            taken.unwrap_or(Used { columns: Columns::default(), version: 0, moves: u64::MAX });
        let is_near = version >= oldest && moves == self.rows.moves();
        columns.resize(self.rows.len());
        if is_near {
            for changed in self.log.iter().skip((version - oldest) as usize) {
                for (at, &position) in changed.iter().enumerate() {
                    if let Some(&position) = changed.get(at + AHEAD) {
                        prefetch(&self.slots[position as usize]);
                        prefetch(&self.counts[position as usize]);
                    }
                    if !self.rows.has(position) {
                        continue;
                    }
                    columns.put(self.rows.row_of(position), position, &self.view(position));
                }
            }
        } else {
            for (row, position) in self.rows.positions().enumerate() {
                columns.put(row, position, &self.view(position));
            }
        }
        Used { columns, version: self.version, moves: self.rows.moves() }
    }

    fn view(&self, position: u32) -> HandleSlotView<'_> {
        let slot = &self.slots[position as usize];
        HandleSlotView {
            slot,
            kind: self.kinds.of(slot),
            counts: self.counts[position as usize],
            created_thread: self.thread_of(position, slot),
        }
    }
}
