//! One pass over the table: look which handles there are, read the counts of their objects, look
//! again, publish.
//!
//! The kernel reads for us, so a stale address is an error and not a crash. A successful read
//! proves nothing by itself: freed memory usually stays mapped. The proof are the object's handles,
//! found alive in the same generation *after* the read; they held references all the while, so the
//! words read were the counts of their object. And since no handle was made or released, the counts
//! and the number of handles are of one moment. The sampler publishes the references beyond the
//! handles: that number does not change when later handles are made and released, each with a
//! reference of its own.

use std::time::Duration;

use super::census::{by_object, by_outer, Census, Entry};
use super::store::{counts_word, forget, is_of, outer_of, saturating_u16, store};
use super::{Resting, Sample, Sampled};
use platform::memory::{self, MAX_SPANS};
use segment::layout::COUNT_UNKNOWN;

/// Addresses that are read again in one pass, the number of these reads, and the pause between
/// them: about 10 ms, of which a millisecond is work.
const MOST_DOUBTS: usize = 128;
/// Most objects that are new, for the first looks.
const MOST_FRESH: usize = MAX_SPANS;
const GLIMPSES: usize = 64;
/// Looks at objects that were not seen before and do not move.
const FRESH_GLIMPSES: usize = 4;
const GLIMPSE_PAUSE: Duration = Duration::from_micros(50);
/// Rows that one census may read for each glimpse; in larger tables several glimpses lie between
/// two looks at the handles.
const ROWS_PER_GLIMPSE: usize = 2048;
const MOST_GLIMPSES_AT_ONCE: usize = 16;

/// The state of a pass, kept from one pass to the next.
#[derive(Default)]
pub struct Pass {
    census: Census,
    counts: Counts,
    /// By index of the row.
    resting: Vec<Resting>,
    /// Objects whose newest sample may have met calls, or whose handles changed meanwhile;
    /// ascending.
    doubts: Vec<u64>,
    /// Objects from this address on were left out of `doubts` last time, and come first.
    next_doubt: u64,
}

/// Counts at some addresses, as they were read.
#[derive(Default)]
struct Counts {
    addresses: Vec<u64>,
    /// Strong and weak; `None`: not readable.
    read: Vec<Option<[u64; 2]>>,
    buffer: Vec<[u64; 2]>,
    /// The system reads nothing for us.
    is_refused: bool,
}

/// The counts that one look at an object found.
struct Look {
    sample: Sample,
    weak: u64,
    /// By the `Arc`s around the object's, in the order of the handles.
    outers: Vec<Option<i32>>,
    shape: u64,
}

impl Pass {
    /// A pass that has seen nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sample the whole table, as long as `goes_on`, which is asked after each batch. Returns how
    /// many rows could not be read that could be before.
    pub fn run(&mut self, table: &dyn Sampled, mut goes_on: impl FnMut() -> bool) -> u64 {
        let used = table.used() as usize;
        if self.resting.len() < used {
            self.resting.resize(used, Resting::default());
        }
        self.census.take(table, |_| true);
        self.counts.is_refused = false;
        self.counts.want(&self.census.entries);
        if !self.counts.read(&mut goes_on) {
            return 0;
        }
        self.census.compare(table);
        let unreadable = self.judge(table, false);
        self.take_turns(MOST_FRESH);
        self.look_again(table, goes_on);
        unreadable
    }

    /// Publish the counts of objects whose handles stayed. Returns the number of rows that have
    /// become unreadable.
    fn judge(&mut self, table: &dyn Sampled, is_glimpse: bool) -> u64 {
        let entries = std::mem::take(&mut self.census.entries);
        let (mut at, mut unreadable) = (0, 0);
        for handles in by_object(&entries) {
            let look = self.counts.look_at(handles, &mut at);
            // the rows of a glimpse are rows of the pass, or younger
            if !self.census.stood(handles)
                || handles.iter().any(|entry| entry.index as usize >= self.resting.len())
            {
                self.doubt(handles, is_glimpse);
                continue;
            }
            match look {
                Ok(Some(look)) if !handles[0].clones_for_calls => {
                    publish(table, handles, &look, look.sample, COUNT_UNKNOWN)
                }
                Ok(Some(look)) => self.publish_resting(table, handles, &look, is_glimpse),
                Ok(None) => handles
                    .iter()
                    .for_each(|entry| forget(table.words(entry.index), entry.generation)),
                Err(Unreadable) if is_glimpse => {}
                Err(Unreadable) => unreadable += self.lose(table, handles),
            }
        }
        self.census.entries = entries;
        unreadable
    }

    fn publish_resting(
        &mut self,
        table: &dyn Sampled,
        handles: &[Entry],
        look: &Look,
        is_glimpse: bool,
    ) {
        let mut memory = self.memory(handles);
        let generation = handles[0].generation;
        let resting = if is_glimpse && memory.knows(generation) {
            memory.glimpse(look.sample)
        } else {
            memory.observe(generation, look.shape, look.sample)
        };
        for entry in handles {
            self.resting[entry.index as usize] = memory.of(entry.generation);
        }
        publish_at_rest(table, handles, look, resting);
        if memory.is_in_doubt() {
            self.doubt(handles, is_glimpse);
        }
    }

    /// The memory of an object, by any of its handles.
    fn memory(&self, handles: &[Entry]) -> Resting {
        let of = |entry: &Entry| self.resting[entry.index as usize];
        let known = handles.iter().find(|entry| of(entry).knows(entry.generation));
        known.map_or_else(|| of(&handles[0]), |entry| of(entry).of(handles[0].generation))
    }

    fn doubt(&mut self, handles: &[Entry], is_glimpse: bool) {
        if !is_glimpse {
            self.doubts.push(handles[0].address);
        }
    }

    /// Keeps as many doubts as there is time for, in turn from pass to pass.
    fn take_turns(&mut self, most: usize) {
        if self.doubts.len() > most {
            let from = self.doubts.partition_point(|&address| address < self.next_doubt)
                % self.doubts.len();
            self.doubts.rotate_left(from);
            self.next_doubt = self.doubts[most];
            self.doubts.truncate(most);
            self.doubts.sort_unstable();
        }
    }

    /// Look at the objects in doubt again and again: sooner or later a look meets no call, and no
    /// handle that is made or released.
    fn look_again(&mut self, table: &dyn Sampled, mut goes_on: impl FnMut() -> bool) {
        let at_once = (table.used() as usize / ROWS_PER_GLIMPSE).clamp(1, MOST_GLIMPSES_AT_ONCE);
        for round in 0..GLIMPSES / at_once {
            if round * at_once >= FRESH_GLIMPSES {
                self.settle_fresh();
            }
            if self.doubts.is_empty() || self.counts.is_refused || !goes_on() {
                break;
            }
            self.glimpse(table, at_once);
        }
        self.settle(table);
        self.doubts.clear();
    }

    /// Some looks at the counts of the objects in doubt, between two looks at their handles.
    fn glimpse(&mut self, table: &dyn Sampled, times: usize) {
        let doubts = &self.doubts;
        self.census.take(table, |address| doubts.binary_search(&address).is_ok());
        self.counts.want(&self.census.entries);
        let mut seen = Vec::with_capacity(times);
        for _ in 0..times {
            std::thread::sleep(GLIMPSE_PAUSE);
            self.counts.read(&mut || true);
            seen.push(self.counts.read.clone());
        }
        self.census.compare(table);
        for read in seen {
            self.counts.read = read;
            self.judge(table, true);
        }
    }

    /// New objects that stood still in some looks are left alone; as many of the remaining objects
    /// stay as there is time for.
    fn settle_fresh(&mut self) {
        let entries = &self.census.entries;
        let resting = &self.resting;
        self.doubts.retain(|&address| {
            let at = entries.partition_point(|entry| entry.address < address);
            let handle = entries.get(at).filter(|entry| entry.address == address);
            handle
                .and_then(|entry| resting.get(entry.index as usize))
                .is_some_and(|memory| !memory.is_fresh_and_still())
        });
        self.take_turns(MOST_DOUBTS);
    }

    /// The glimpses are over: counts that did not move for some passes are at rest.
    fn settle(&mut self, table: &dyn Sampled) {
        if self.doubts.is_empty() {
            return;
        }
        let entries = std::mem::take(&mut self.census.entries);
        let mut at = 0;
        for handles in by_object(&entries) {
            let look = self.counts.look_at(handles, &mut at);
            let was_looked_at = self.doubts.binary_search(&handles[0].address).is_ok();
            let (true, true, Ok(Some(look)), true) =
                (was_looked_at, self.census.stood(handles), look, handles[0].clones_for_calls)
            else {
                continue;
            };
            if handles.iter().any(|entry| entry.index as usize >= self.resting.len()) {
                continue;
            }
            let mut memory = self.memory(handles);
            let resting = memory.settle(look.sample);
            handles
                .iter()
                .for_each(|entry| self.resting[entry.index as usize] = memory.of(entry.generation));
            publish_at_rest(table, handles, &look, resting);
        }
        self.census.entries = entries;
    }

    /// The object's address could not be read. Returns for how many of its rows that is news.
    fn lose(&mut self, table: &dyn Sampled, handles: &[Entry]) -> u64 {
        let mut news = 0;
        for entry in handles.iter().filter(|entry| is_of(table.words(entry.index), entry)) {
            forget(table.words(entry.index), entry.generation);
            news += u64::from(self.resting[entry.index as usize].lose(entry.generation));
        }
        news
    }
}

struct Unreadable;

impl Counts {
    /// Lists the addresses to read: for each object the `Arc`s around it first, since calls count
    /// there until they have come in, and then its own.
    fn want(&mut self, entries: &[Entry]) {
        self.addresses.clear();
        for handles in by_object(entries) {
            self.addresses
                .extend(by_outer(handles).map(|each| each[0].outer).filter(|&outer| outer != 0));
            self.addresses.push(handles[0].address);
        }
        self.read.clear();
        self.read.resize(self.addresses.len(), None);
    }

    /// Read all listed addresses, as long as `goes_on`; an address that cannot be read does not
    /// stop the reading. Once the system refused to read for us, it is not asked again in this
    /// pass.
    fn read(&mut self, goes_on: &mut dyn FnMut() -> bool) -> bool {
        self.buffer.resize(MAX_SPANS, [0; 2]);
        let mut done = 0;
        while done < self.addresses.len() && !self.is_refused {
            let wanted = &self.addresses[done..];
            let found = memory::read_pairs(wanted, &mut self.buffer);
            self.is_refused = found.is_err();
            let count = found.unwrap_or(0);
            for (place, &pair) in self.read[done..done + count].iter_mut().zip(&self.buffer) {
                *place = Some(pair);
            }
            let is_whole = count == wanted.len().min(MAX_SPANS);
            if !is_whole {
                self.read[done + count] = None;
            }
            done += count + usize::from(!is_whole);
            if count == MAX_SPANS && !goes_on() {
                return false;
            }
        }
        true
    }

    /// The counts of the object of these handles; `at` is the object's place in the list, and is
    /// advanced to the next object. `None`: impossible numbers.
    fn look_at(&self, handles: &[Entry], at: &mut usize) -> Result<Option<Look>, Unreadable> {
        let (mut beyond, mut shape, mut outers) = (0_i64, 0_u64, Vec::new());
        let mut inner_handles = 0_i64;
        for each in by_outer(handles) {
            if each[0].outer == 0 {
                inner_handles += each.len() as i64;
                continue;
            }
            let outer = self.read[*at].and_then(|[strong, _]| beyond_of(strong, each.len() as i64));
            beyond += outer.map_or(0, i64::from);
            shape = shape.wrapping_add(each[0].outer.rotate_left(17));
            outers.push(outer.map(|outer| outer.saturating_add(1)));
            *at += 1;
        }
        let own = self.read[*at];
        *at += 1;
        let Some([strong, weak]) = own else { return Err(Unreadable) };
        let Some(inner) = beyond_of(strong, inner_handles + outers.len() as i64) else {
            return Ok(None);
        };
        let total = i32::try_from(beyond + i64::from(inner)).ok();
        Ok(total.map(|beyond| Look {
            sample: Sample { beyond, inner: inner.saturating_add(1) },
            weak,
            outers,
            shape,
        }))
    }
}

/// The count beyond so many known references; `None`: an impossible number.
fn beyond_of(count: u64, known: i64) -> Option<i32> {
    i64::try_from(count)
        .ok()
        .and_then(|count| i32::try_from(count - known).ok())
        .filter(|&beyond| beyond < i32::MAX)
}

/// Publish an object's count at rest, and as in flight the surplus that the last look found.
fn publish_at_rest(table: &dyn Sampled, handles: &[Entry], look: &Look, resting: Sample) {
    let above = i64::from(look.sample.beyond) - i64::from(resting.beyond);
    publish(table, handles, look, resting, saturating_u16(u64::try_from(above).unwrap_or(0)));
}

fn publish(table: &dyn Sampled, handles: &[Entry], look: &Look, resting: Sample, in_flight: u16) {
    let counts = counts_word(resting.inner, look.weak, in_flight);
    let mut outers = look.outers.iter();
    for each in by_outer(handles) {
        let seen = if each[0].outer == 0 { None } else { outers.next().copied().flatten() };
        let outer = seen.map(|seen| outer_at_rest(table, each, look, resting, seen));
        for entry in each.iter().filter(|entry| is_of(table.words(entry.index), entry)) {
            store(table.words(entry.index), entry.generation, counts, outer);
        }
    }
}

/// The share of one `Arc` around the object's in the count at rest: as seen now, or the remainder
/// of the whole, or with several `Arc`s as published before.
fn outer_at_rest(
    table: &dyn Sampled,
    handles: &[Entry],
    look: &Look,
    resting: Sample,
    seen: i32,
) -> i32 {
    if look.sample == resting {
        return seen;
    }
    if look.outers.len() == 1 {
        return resting.beyond - resting.inner + 2;
    }
    handles.iter().find_map(|entry| outer_of(table.words(entry.index))).unwrap_or(seen)
}
