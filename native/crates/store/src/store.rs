//! The store: a copy of the rows, and the counts that follow from them.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use super::chains::Chains;
use super::counts::{count, Counts, Member, TraitCounts, TraitMap};
use super::handles::{has_outer, is_live, is_running_call, is_use, object, Kinds, Limits, Threads};
use super::marks::Marks;
use super::outers::Outers;
use super::pool::Pool;
use super::rows::Rows;
use super::table::{HandleTable, TableClock};
use super::GivenUp;
use segment::cpu::prefetch;
use segment::layout::{HandleSlot, ReferenceState};
use viewer::reader::{zeroed, Reader, Result};

/// Rows whose places in the index are fetched while earlier rows are worked on.
pub(crate) const AHEAD: usize = 12;
/// Room for changed rows that stays from one reading to the next.
const KEPT: usize = 1 << 16;
/// From one changed row of so many on, everything that follows from the rows is made anew: a row
/// that is put in its place costs half of a row that is taken out and put in.
const MANY: usize = 2;

/// A target's handles. One thread at a time.
#[derive(Default)]
pub struct HandleStore {
    pub(crate) slots: Vec<HandleSlot>,
    pub(crate) counts: Vec<Counts>,
    traits: TraitMap,
    pub(crate) rows: Rows,
    chains: Chains,
    outers: Outers,
    pub(crate) kinds: Kinds,
    /// Rows of running calls, and the index of the thread of each.
    pub(crate) uses: BTreeMap<u32, u16>,
    pub(crate) strangers: Vec<(u32, u32)>,
    /// How many calls of threads use a row.
    pub(crate) pins: HashMap<u32, i64>,
    /// Positions that a reading changed, with the new rows.
    fresh: Vec<(u32, HandleSlot)>,
    /// All rows of the first reading.
    first: Vec<HandleSlot>,
    /// Positions whose columns changed since the last table.
    pub(crate) changed: Marks,
    /// Changes of the newest tables, for columns that are taken over.
    pub(crate) log: VecDeque<Vec<u32>>,
    pub(crate) version: u64,
    /// The largest index of a type that a row has had.
    last_type: usize,
    are_outers_stale: bool,
    damaged: usize,
    live: usize,
    /// Living rows that name a thread, by the thread's index.
    pub(crate) named: Vec<u32>,
    pub(crate) pool: Pool,
}

impl HandleStore {
    /// Without rows.
    pub fn new() -> Self {
        Self::default()
    }

    /// Read the rows that changed since the last reading. Returns how many changed.
    ///
    /// Nothing is known of them before `publish`. A reading that fails or is given up changes
    /// nothing.
    pub fn read(&mut self, reader: &Reader, is_given_up: GivenUp<'_>) -> Result<usize> {
        self.fresh.clear();
        self.first.clear();
        let (fresh, first) = (&mut self.fresh, &mut self.first);
        let found = if self.slots.is_empty() {
            reader.changes(&[], is_given_up, |position, row| {
                let position = position as usize;
                first.resize(first.len().max(position + 1), zeroed());
                first[position] = *row;
            })
        } else {
            reader.changes(&self.slots, is_given_up, |position, row| fresh.push((position, *row)))
        };
        if found.is_err() {
            self.fresh.clear();
            self.first.clear();
        }
        found.map(|_| self.fresh.len() + self.first.len())
    }

    /// A table of the rows last read, with the types and threads that were read after them.
    pub fn publish(&mut self, kinds: Kinds, threads: &Threads, clock: TableClock) -> HandleTable {
        let touched = self.apply(kinds);
        self.count_objects(touched, threads);
        self.rows.settle();
        let used = self.write();
        let row_of = |position: &u32| self.rows.row_of(*position);
        let of_trait = |(position, counts): (&u32, &TraitCounts)| {
            (row_of(position) as u32, counts.inner, counts.outer)
        };
        let mut traits: Vec<_> = self.traits.iter().map(of_trait).collect();
        traits.sort_unstable();
        let calls = self.uses.iter().filter(|(position, _)| {
            let slot = &self.slots[**position as usize];
            is_running_call(slot, self.kinds.of(slot))
        });
        HandleTable {
            traits,
            calls: calls.map(|(position, thread)| (row_of(position) as u32, *thread)).collect(),
            strangers: self.strangers.clone(),
            named: self.named.clone(),
            damaged: self.damaged,
            live: self.live,
            clock,
            used: Some(used),
            pool: Arc::clone(&self.pool),
        }
    }

    /// Put the fresh rows in their places. Returns positions of objects to count again.
    fn apply(&mut self, kinds: Kinds) -> Vec<u32> {
        let mut fresh = std::mem::take(&mut self.fresh);
        let is_new = self.are_others(&kinds)
            || !self.first.is_empty()
            || fresh.len() * MANY > self.slots.len();
        self.kinds = kinds;
        let touched = if is_new { self.replace_all(&fresh) } else { self.replace(&fresh) };
        fresh.clear();
        if fresh.capacity() <= KEPT {
            self.fresh = fresh;
        }
        touched
    }

    /// Make everything that follows from the rows anew, with the fresh rows.
    fn replace_all(&mut self, fresh: &[(u32, HandleSlot)]) -> Vec<u32> {
        if !self.first.is_empty() {
            self.slots = std::mem::take(&mut self.first);
            self.slots.shrink_to_fit();
        }
        self.forget_objects();
        self.make_room(fresh);
        for (position, row) in fresh {
            self.slots[*position as usize] = *row;
        }
        let mut touched = Vec::with_capacity(self.slots.len());
        for position in 0..self.slots.len() {
            if let Some(row) = self.slots.get(position + AHEAD) {
                self.chains.prefetch(object(row, self.kinds.of(row)));
            }
            let row = self.slots[position];
            self.enter(position as u32, &row, &mut touched);
        }
        touched
    }

    /// Take the old rows out of everything, then put the fresh rows in. In two passes: an address
    /// that another row takes over is in no chain any more when it comes.
    fn replace(&mut self, fresh: &[(u32, HandleSlot)]) -> Vec<u32> {
        let mut touched = Vec::with_capacity(fresh.len());
        self.make_room(fresh);
        for (at, &(position, row)) in fresh.iter().enumerate() {
            if let Some((position, _)) = fresh.get(at + 2 * AHEAD) {
                prefetch(&self.slots[*position as usize]);
                self.chains.prefetch_row(*position);
            }
            if let Some((position, _)) = fresh.get(at + AHEAD) {
                let row = &self.slots[*position as usize];
                self.chains.prefetch(object(row, self.kinds.of(row)));
            }
            self.leave(position, &mut touched);
            self.slots[position as usize] = row;
        }
        for (at, (position, row)) in fresh.iter().enumerate() {
            if let Some((position, row)) = fresh.get(at + AHEAD) {
                self.chains.prefetch_row(*position);
                self.chains.prefetch(object(row, self.kinds.of(row)));
            }
            self.enter(*position, row, &mut touched);
        }
        touched
    }

    /// Room for the fresh rows, and for what follows from all rows.
    fn make_room(&mut self, fresh: &[(u32, HandleSlot)]) {
        let last = fresh.iter().map(|(position, _)| *position as usize + 1).max();
        let length = self.slots.len().max(last.unwrap_or(0));
        self.slots.resize(length, zeroed());
        self.counts.resize(length, Counts::default());
        self.chains.grow(length);
    }

    /// Whether the kind of a row may have changed. Types come when a program makes their first
    /// object; then no older row is of theirs.
    fn are_others(&self, kinds: &Kinds) -> bool {
        let (old, new) = (&self.kinds.0, &kinds.0);
        let is_longer = new.len() > old.len() && new.starts_with(old);
        old != new && !(is_longer && self.last_type < old.len())
    }

    /// Forget what follows from the rows; the kinds of types changed.
    fn forget_objects(&mut self) {
        self.chains.clear();
        self.outers.clear();
        self.traits.clear();
        self.uses.clear();
        self.named.clear();
        (self.damaged, self.live) = (0, 0);
    }

    /// Take the row at `position` out of everything.
    fn leave(&mut self, position: u32, touched: &mut Vec<u32>) {
        let slot = self.slots[position as usize];
        if !Limits::is_used(&slot) {
            return;
        }
        if !Limits::is_readable(&slot) {
            self.damaged -= 1;
            return;
        }
        let kind = self.kinds.of(&slot);
        let name = object(&slot, kind);
        if name != 0 {
            touched.extend(self.chains.remove(position, name));
        }
        self.name_threads(&slot, self.thread_of(position, &slot), false);
        self.live -= usize::from(is_live(&slot));
        self.uses.remove(&position);
        if !self.traits.is_empty() {
            self.traits.remove(&position);
        }
        self.are_outers_stale |= self.outers.rows.remove(&position);
    }

    /// Put the row at `position` in everything.
    fn enter(&mut self, position: u32, slot: &HandleSlot, touched: &mut Vec<u32>) {
        let is_row = Limits::is_used(slot) && Limits::is_readable(slot);
        self.rows.put(position, is_row);
        if !is_row {
            self.damaged += usize::from(Limits::is_used(slot));
            return;
        }
        touched.push(position);
        self.changed.add(position);
        self.last_type = self.last_type.max(usize::from(slot.type_id));
        let kind = self.kinds.of(slot);
        let name = object(slot, kind);
        if name != 0 {
            let (slots, kinds) = (&self.slots, &self.kinds);
            let name_of = |row: u32| object(&slots[row as usize], kinds.of(&slots[row as usize]));
            self.chains.add(position, name, name_of);
        }
        if is_use(slot, kind) {
            self.uses.insert(position, 0);
        }
        self.live += usize::from(is_live(slot));
        self.name_threads(slot, self.thread_of(position, slot), true);
        if has_outer(slot, kind) {
            self.outers.rows.insert(position);
        }
    }

    /// Count the objects of the rows at `touched`, and of the rows that calls use.
    fn count_objects(&mut self, mut touched: Vec<u32>, threads: &Threads) {
        self.pin(&threads.calls, &mut touched);
        self.assign_threads(threads);
        let is_outer = |row: &u32| self.outers.rows.contains(row);
        if self.are_outers_stale || touched.iter().any(is_outer) {
            self.outers.count(&self.slots, &self.kinds);
            touched.extend(&self.outers.rows);
            self.are_outers_stale = false;
        }
        let (mut seen, mut members) = (Marks::default(), Vec::new());
        for at in 0..touched.len() {
            if let Some(&position) = touched.get(at + AHEAD) {
                prefetch(&self.slots[position as usize]);
                prefetch(&self.counts[position as usize]);
                self.chains.prefetch_row(position);
            }
            let position = touched[at];
            if !self.rows.has(position) || !seen.add(position) {
                continue;
            }
            self.gather(position, &mut members);
            if members.len() > 1 {
                members.iter().for_each(|member| _ = seen.add(member.position));
            }
            self.count_object(&members);
        }
    }

    /// All rows of the object of the row at `position`, in slot order.
    fn gather(&self, position: u32, members: &mut Vec<Member>) {
        members.clear();
        if self.chains.is_alone(position) {
            members.push(self.member(position));
            return;
        }
        let mut at = Some(self.chains.head(position));
        while let Some(position) = at {
            members.push(self.member(position));
            at = self.chains.after(position);
        }
        members.sort_unstable_by_key(|member| member.position);
    }

    fn count_object(&mut self, members: &[Member]) {
        let name = object(&members[0].row, members[0].kind);
        let (counts, changed, traits) = (&mut self.counts, &mut self.changed, &mut self.traits);
        count(members, name != 0, self.outers.beyond(name), |position, found, of_trait| {
            let place = &mut counts[position as usize];
            if *place != found {
                *place = found;
                changed.add(position);
            }
            if let Some(of_trait) = of_trait {
                traits.insert(position, of_trait);
            }
        });
    }

    fn member(&self, position: u32) -> Member {
        let row = self.slots[position as usize];
        let kind = self.kinds.of(&row);
        let pins = if self.pins.is_empty() { None } else { self.pins.get(&position) };
        let outer = if has_outer(&row, kind) { self.outers.count_of(&row) } else { -1 };
        Member { position, row, kind, pins: pins.copied().unwrap_or(0), outer }
    }
}

const _: () = assert!(ReferenceState::Free as u8 == 0, "rows of zeros are free");
