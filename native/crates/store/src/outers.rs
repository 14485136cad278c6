//! Outer `Arc`s of traits: handles with equal `data` point into the same outer `Arc`.

use std::collections::{BTreeSet, HashMap};

use super::counts::Beyond;
use super::handles::{object, sampled, Kinds};
use segment::layout::HandleSlot;

/// The outer `Arc`s of a table. Computed as a whole: few programs have many traits.
#[derive(Default)]
pub struct Outers {
    /// Positions of the rows whose handle points into an outer `Arc`.
    pub rows: BTreeSet<u32>,
    counts: HashMap<u64, i64>,
    beyond: HashMap<u64, Beyond>,
}

#[derive(Default)]
struct Arc {
    first: u32,
    pointing: i64,
    single: Option<i64>,
    was_read: bool,
}

impl Outers {
    /// Forget all rows.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Count anew, after rows changed.
    pub fn count(&mut self, slots: &[HandleSlot], kinds: &Kinds) {
        self.counts.clear();
        self.beyond.clear();
        let mut arcs: HashMap<u64, Arc> = HashMap::new();
        for &position in &self.rows {
            let row = &slots[position as usize];
            let fresh = || Arc { first: position, ..Arc::default() };
            let arc = arcs.entry(row.data).or_insert_with(fresh);
            arc.pointing += 1;
            arc.single = arc.single.or_else(|| sampled(row.outer_strong));
            arc.was_read |= sampled(row.strong).is_some();
        }
        for (data, arc) in arcs {
            // a handle that no sampler saw so far has one reference, as every handle
            let single = arc.single.or((!arc.was_read).then_some(1));
            let count = single.map_or(-1, |single| single + arc.pointing - 1);
            self.counts.insert(data, count);
            let row = &slots[arc.first as usize];
            let name = object(row, kinds.of(row));
            if name != 0 {
                let beyond = self.beyond.entry(name).or_default();
                beyond.count += count - 1;
                beyond.arcs += 1;
                beyond.is_unread |= single.is_none();
            }
        }
    }

    /// Count of the outer `Arc` of a row of `rows`.
    pub fn count_of(&self, row: &HandleSlot) -> i64 {
        self.counts.get(&row.data).copied().unwrap_or(-1)
    }

    /// The part that outer `Arc`s add to the counts of the object called `name`.
    pub fn beyond(&self, name: u64) -> Beyond {
        self.beyond.get(&name).copied().unwrap_or_default()
    }
}
