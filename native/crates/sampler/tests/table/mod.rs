//! A table of the test's own, with real `Arc`s and with addresses that are none.

#![allow(dead_code, reason = "each test program uses a part")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use crate::sampler::{Pass, Sampled};
use segment::layout::{Kind, ReferenceState, COUNT_UNKNOWN, OUTER_UNKNOWN, STRONG_UNKNOWN};

/// The sampler's reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Said {
    pub heartbeats: u64,
    pub passes: u64,
    pub skips: u64,
    pub unreadable: u64,
    pub cpu_nanos: u64,
}

/// A table of rows; types are numbered as their kinds.
pub struct Table {
    pub rows: Vec<[AtomicU64; 8]>,
    /// Row and word 0 that it gets between the look before the reading and the look after it.
    pub at_second_look: Mutex<Option<(u32, u64)>>,
    looks: AtomicU64,
    said: Mutex<Said>,
    changed: Condvar,
}

impl Table {
    pub fn new(rows: usize) -> Arc<Self> {
        let unknown = counts(STRONG_UNKNOWN, COUNT_UNKNOWN, COUNT_UNKNOWN);
        let words = [0, 0, unknown, 0, 0, 0, u64::from(OUTER_UNKNOWN) << 32, 0];
        let row = |_| words.map(AtomicU64::new);
        let rows = (0..=rows).map(row).collect();
        Arc::new(Self {
            rows,
            at_second_look: Mutex::default(),
            looks: AtomicU64::new(0),
            said: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    pub fn put(
        &self,
        index: usize,
        state: ReferenceState,
        kind: Kind,
        generation: u32,
        address: u64,
    ) {
        let word = u64::from(generation) << 32 | (kind as u64) << 16 | state as u64;
        self.rows[index][1].store(address, Ordering::Relaxed);
        self.rows[index][2]
            .store(counts(STRONG_UNKNOWN, COUNT_UNKNOWN, COUNT_UNKNOWN), Ordering::Relaxed);
        self.rows[index][0].store(word, Ordering::Release);
    }

    pub fn put_live(&self, index: usize, kind: Kind, address: u64) {
        self.put(index, ReferenceState::Live, kind, 1, address);
    }

    /// As the row has them: `strong` as if it were its object's only handle.
    pub fn counts(&self, index: usize) -> (u32, u16, u16) {
        let word = self.rows[index][2].load(Ordering::Relaxed);
        (word as u32, (word >> 32) as u16, (word >> 48) as u16)
    }

    #[allow(clippy::redundant_allocation, reason = "it is what a trait's handle points into")]
    pub fn put_trait(&self, index: usize, object: &Arc<u64>, handle: &Arc<Arc<u64>>) {
        self.rows[index][7].store(Arc::as_ptr(handle) as u64, Ordering::Relaxed);
        self.put_live(index, Kind::UniffiTrait, address(object));
    }

    pub fn outer(&self, index: usize) -> u32 {
        (self.rows[index][6].load(Ordering::Relaxed) >> 32) as u32
    }

    pub fn said(&self) -> Said {
        *self.said.lock().unwrap()
    }

    fn say(&self, change: impl FnOnce(&mut Said)) {
        change(&mut self.said.lock().unwrap());
        self.changed.notify_all();
    }

    /// Wait until the sampler's reports satisfy `condition`.
    pub fn wait_for(&self, condition: impl Fn(&Said) -> bool) -> Said {
        let said = self.said.lock().unwrap();
        let (said, waited) = self
            .changed
            .wait_timeout_while(said, Duration::from_secs(30), |said| !condition(said))
            .unwrap();
        assert!(!waited.timed_out(), "waited in vain: {said:?}");
        *said
    }
}

impl Sampled for Table {
    fn used(&self) -> u32 {
        self.rows.len() as u32
    }

    fn words(&self, index: u32) -> &[AtomicU64; 8] {
        let mut change = self.at_second_look.lock().unwrap();
        if let Some((_, word)) = change
            .take_if(|(row, _)| *row == index && self.looks.fetch_add(1, Ordering::Relaxed) == 1)
        {
            self.rows[index as usize][0].store(word, Ordering::SeqCst);
        }
        &self.rows[index as usize]
    }

    fn kind(&self, type_id: u16) -> u8 {
        type_id as u8
    }

    fn outer_bytes(&self, type_id: u16) -> u64 {
        if type_id == Kind::UniffiTrait as u16 {
            16
        } else {
            0
        }
    }

    fn heartbeat(&self) {
        self.say(|said| said.heartbeats += 1);
    }

    fn add_cpu(&self, nanos: u64) {
        self.say(|said| said.cpu_nanos += nanos);
    }

    fn sampled(&self, _took: Duration) {
        self.say(|said| said.passes += 1);
    }

    fn count_unreadable(&self, rows: u64) {
        self.say(|said| said.unreadable += rows);
    }

    fn count_skip(&self) {
        self.say(|said| said.skips += 1);
    }
}

fn counts(strong: u32, weak: u16, in_flight: u16) -> u64 {
    u64::from(strong) | u64::from(weak) << 32 | u64::from(in_flight) << 48
}

/// Address of the counts of an `Arc`, two words before its value.
pub fn address<T>(object: &Arc<T>) -> u64 {
    Arc::as_ptr(object) as u64 - 16
}

/// An address that is in no map: the first page is never mapped.
pub const NOWHERE: u64 = 64;

/// A table with one live row of that kind, and its object.
pub fn one(kind: Kind) -> (Arc<Table>, Arc<u64>) {
    let (table, object) = (Table::new(1), Arc::new(7_u64));
    table.put_live(1, kind, address(&object));
    (table, object)
}

/// A table with one live row of a trait, its object, and the `Arc` around it that the handle points
/// into.
#[allow(clippy::redundant_allocation, reason = "it is what a trait's handle points into")]
pub fn one_trait() -> (Arc<Table>, Arc<u64>, Arc<Arc<u64>>) {
    let (table, object) = (Table::new(1), Arc::new(7_u64));
    let handle = Arc::new(Arc::clone(&object));
    table.put_trait(1, &object, &handle);
    (table, object, handle)
}

/// One whole pass; the number of rows that could not be read for the first time.
pub fn look(pass: &mut Pass, table: &Table) -> u64 {
    pass.run(table, || true)
}
