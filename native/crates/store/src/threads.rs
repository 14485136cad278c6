//! Threads that rows name, threads that calls run on, and rows that calls use.

use std::collections::HashMap;

use super::handles::{is_live, Threads};
use super::store::HandleStore;
use segment::layout::HandleSlot;

impl HandleStore {
    /// The thread of a row's birth, or of the call that the row is.
    pub(crate) fn thread_of(&self, position: u32, slot: &HandleSlot) -> u16 {
        if self.uses.is_empty() {
            return slot.created_thread;
        }
        self.uses.get(&position).copied().unwrap_or(slot.created_thread)
    }

    /// Count the threads that a living row names, or count them no more.
    pub(crate) fn name_threads(&mut self, slot: &HandleSlot, created: u16, is_named: bool) {
        if !is_live(slot) {
            return;
        }
        for thread in [created, slot.last_thread, slot.owner_thread, slot.requester_thread] {
            let thread = usize::from(thread);
            if thread >= self.named.len() {
                self.named.resize(thread + 1, 0);
            }
            if is_named {
                self.named[thread] += 1;
            } else {
                self.named[thread] -= 1;
            }
        }
    }

    /// Note the rows that calls of threads use, each with its generation.
    pub(crate) fn pin(&mut self, calls: &[u64], touched: &mut Vec<u32>) {
        let mut pins: HashMap<u32, i64> = HashMap::new();
        for &call in calls.iter().filter(|&&call| call != 0) {
            let position = ((call as u32) >> 1).wrapping_sub(1);
            let is_there = self.rows.has(position)
                && u64::from(self.slots[position as usize].generation) == call >> 32;
            if is_there {
                *pins.entry(position).or_default() += 1;
            }
        }
        let old = std::mem::replace(&mut self.pins, pins);
        let others = |row: &&u32| old.get(row) != self.pins.get(row);
        touched.extend(old.keys().chain(self.pins.keys()).filter(others));
    }

    /// Find the thread of each call that runs. Threads without a record get indices of their own.
    pub(crate) fn assign_threads(&mut self, threads: &Threads) {
        self.strangers.clear();
        if self.uses.is_empty() {
            return;
        }
        let mut known: HashMap<u32, u32> = threads.indices.iter().copied().collect();
        for position in self.uses.keys().copied().collect::<Vec<_>>() {
            let slot = self.slots[position as usize];
            let tid = slot.data as u32;
            let next = threads.records + self.strangers.len() as u32;
            let index = *known.entry(tid).or_insert_with(|| {
                self.strangers.push((next, tid));
                next
            });
            // an index that finds no room is an unknown thread
            let index = u16::try_from(index).unwrap_or(0);
            let before = self.thread_of(position, &slot);
            if before != index {
                self.name_threads(&slot, before, false);
                self.name_threads(&slot, index, true);
                self.uses.insert(position, index);
                self.changed.add(position);
            }
        }
    }
}
