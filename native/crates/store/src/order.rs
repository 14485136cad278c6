//! Which rows a table of handles shows, in which order: grouped by type, sorted, or held.
//!
//! `inspector/model/grouping.py` has the same in numpy; a test compares both.

use std::collections::HashSet;

use super::table::HandleTable;
use super::{GivenUp, UNKNOWN};
use crate::columns::{HandleField, PROXIES, STRONG};

/// The number that rows are sorted by; NaN: unknown.
#[derive(Clone, Copy)]
pub enum Keys<'a> {
    /// One for each row of the table.
    Given(&'a [f64]),
    /// A count of the columns.
    Count(HandleField),
    /// Seconds since the birth, or the seconds that a dead row lived; infinite for a live row whose
    /// birth was not seen.
    Age,
    /// The slot.
    Slot,
    /// For each index of the column the number in the table.
    Ranks(HandleField, &'a [f64]),
}

/// A question.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// Not 0 for each row to show; empty: all rows.
    pub shown: &'a [u8],
    /// For each index of a type its place in the order of types.
    pub ranks: &'a [u32],
    /// See `Keys`.
    pub keys: Keys<'a>,
    /// Largest first.
    pub is_descending: bool,
    /// Seconds since the Unix epoch.
    pub now: f64,
    /// How long a dead row stays among the living rows.
    pub moment_secs: f64,
}

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

/// The answer.
#[derive(Debug, Default)]
pub struct HandleOrder {
    /// Rows of the table.
    pub rows: Vec<u32>,
    /// 1 for rows that came since the last sort.
    pub arrived: Vec<u8>,
    /// In the order of the rows.
    pub groups: Vec<GroupCounts>,
    /// Arrived rows that do not stand where a sort would put them.
    pub arrivals: u64,
}

/// An earlier order to hold: numbers of handles, and which of them had arrived.
#[derive(Clone, Copy)]
pub struct Places<'a> {
    /// In their order.
    pub ids: &'a [u64],
    /// As `HandleOrder::arrived`.
    pub arrived: &'a [u8],
}

/// A sort key: coarse first, then fine.
type Key = (u8, f64);

/// Sort, or hold an order. None: the question was given up, or does not fit the table.
pub fn sorted(
    table: &HandleTable,
    question: &Question<'_>,
    held: Option<Places<'_>>,
    is_given_up: GivenUp<'_>,
) -> Option<HandleOrder> {
    let count = table.columns().len();
    if !question.shown.is_empty() && question.shown.len() != count || !fits(table, question.keys) {
        return None;
    }
    let is_shown = |row: &u32| question.shown.get(*row as usize).is_none_or(|&shown| shown != 0);
    let rows: Vec<u32> = (0..count as u32).filter(is_shown).collect();
    if is_given_up() {
        return None;
    }
    let mut order = match held {
        None => {
            let rows = sort(table, question, rows, true);
            HandleOrder { arrived: vec![0; rows.len()], rows, ..HandleOrder::default() }
        }
        Some(places) => hold(table, question, &rows, places),
    };
    if is_given_up() {
        return None;
    }
    order.groups = groups(table, &order.rows);
    order.arrivals = arrivals(table, question, &order);
    Some(order)
}

fn fits(table: &HandleTable, keys: Keys<'_>) -> bool {
    match keys {
        Keys::Given(keys) => keys.len() == table.columns().len(),
        Keys::Count(field) => matches!(
            field,
            HandleField::Strong
                | HandleField::Weak
                | HandleField::InFlight
                | HandleField::Proxies
                | HandleField::NativeRefs
        ),
        Keys::Ranks(field, _) => {
            matches!(
                field,
                HandleField::CreatedThreads | HandleField::CreatedSites | HandleField::References
            )
        }
        Keys::Age | Keys::Slot => true,
    }
}

impl Question<'_> {
    fn key(&self, table: &HandleTable, row: usize) -> Key {
        let fine = self.number(table, row);
        let is_recent = self.now - table.changed_at(row) < self.moment_secs;
        let is_over = !table.is_live(row) && !is_recent;
        let coarse = match () {
            () if is_over => 2,
            () => u8::from(fine.is_nan()),
        };
        let fine = match () {
            () if fine.is_nan() => 0.0,
            // + 0.0: a negative zero is a zero
            () if self.is_descending => 0.0 - fine,
            () => fine + 0.0,
        };
        (coarse, fine)
    }

    fn number(&self, table: &HandleTable, row: usize) -> f64 {
        let columns = table.columns();
        let ranked = |ranks: &[f64], index: usize| ranks.get(index).copied().unwrap_or(f64::NAN);
        match self.keys {
            Keys::Given(keys) => keys[row],
            Keys::Age => {
                let born = table.created_at(row);
                match (table.is_live(row), born.is_nan()) {
                    (true, true) => f64::INFINITY,
                    (true, false) => self.now - born,
                    (false, _) => table.changed_at(row) - born,
                }
            }
            Keys::Slot => f64::from((columns.ids[row] as u32) >> 1),
            Keys::Count(HandleField::NativeRefs) => {
                if columns.counts[STRONG][row] == UNKNOWN {
                    f64::NAN
                } else {
                    table.native_refs(row) as f64
                }
            }
            Keys::Count(field) => known(columns.counts[count_place(field)][row]),
            Keys::Ranks(HandleField::CreatedThreads, ranks) => {
                ranked(ranks, usize::from(columns.threads[0][row]))
            }
            Keys::Ranks(HandleField::CreatedSites, ranks) => {
                ranked(ranks, usize::from(columns.created_sites[row]))
            }
            Keys::Ranks(_, ranks) => {
                let (reference, resource) = (columns.references[row], columns.resources[row]);
                ranked(ranks, usize::from(reference) << 8 | usize::from(resource))
            }
        }
    }

    fn rank(&self, table: &HandleTable, row: u32) -> usize {
        let index = usize::from(table.columns().types[row as usize]);
        self.ranks.get(index).map_or(self.ranks.len() * 2 + index, |&rank| rank as usize)
    }

    /// Larger than every rank; types without a place come last, by index.
    fn ranks(&self, table: &HandleTable) -> usize {
        let types = table.columns().types.iter().max().map_or(0, |&most| usize::from(most) + 1);
        let most = self.ranks.iter().max().map_or(0, |&rank| rank as usize + 1);
        most.max(self.ranks.len() * 2 + types)
    }
}

fn count_place(field: HandleField) -> usize {
    match field {
        HandleField::Weak => 1,
        HandleField::InFlight => 2,
        HandleField::Proxies => PROXIES,
        _ => STRONG,
    }
}

fn known(count: i32) -> f64 {
    if count == UNKNOWN {
        f64::NAN
    } else {
        f64::from(count)
    }
}

/// Rows by type, unless `by_type` is false, and by key; equal rows keep their order.
fn sort(table: &HandleTable, question: &Question<'_>, rows: Vec<u32>, by_type: bool) -> Vec<u32> {
    let ranks = if by_type { question.ranks(table) } else { 1 };
    let bucket_of = |row: u32, coarse: u8| {
        (if by_type { question.rank(table, row) } else { 0 }) * 3 + usize::from(coarse)
    };
    let keys: Vec<Key> = rows.iter().map(|&row| question.key(table, row as usize)).collect();
    let mut starts = vec![0_usize; ranks * 3 + 1];
    for (&row, &(coarse, _)) in rows.iter().zip(&keys) {
        starts[bucket_of(row, coarse) + 1] += 1;
    }
    for bucket in 1..starts.len() {
        starts[bucket] += starts[bucket - 1];
    }
    let (mut next, mut placed) = (starts.clone(), vec![(0.0, 0_u32); rows.len()]);
    for (&row, &(coarse, fine)) in rows.iter().zip(&keys) {
        let place = &mut next[bucket_of(row, coarse)];
        placed[*place] = (fine, row);
        *place += 1;
    }
    drop((keys, rows));
    for bucket in starts.windows(2) {
        sort_bucket(&mut placed[bucket[0]..bucket[1]]);
    }
    placed.into_iter().map(|(_, row)| row).collect()
}

/// Sort stably by number. Numbers with few significant bits between the smallest and the largest
/// are sorted together with their place as one word, which is several times faster.
fn sort_bucket(bucket: &mut [(f64, u32)]) {
    if bucket.is_sorted_by(|one, other| one.0 <= other.0) {
        return;
    }
    let Some(words) = packed(bucket) else {
        bucket.sort_by(|one, other| one.0.total_cmp(&other.0));
        return;
    };
    let rows: Vec<(f64, u32)> = bucket.to_vec();
    for (place, word) in bucket.iter_mut().zip(words) {
        *place = rows[(word & 0xFFFF_FFFF) as usize];
    }
}

/// The bucket's numbers and places as sorted words: 96 bits do not fit, so None where the numbers
/// are no multiples of 2⁻²² in a range of 2³² of them.
fn packed(bucket: &[(f64, u32)]) -> Option<Vec<u64>> {
    /// Times of this age of the world are multiples of it, in seconds.
    const STEPS: f64 = 4_194_304.0;
    let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
    for &(number, _) in bucket {
        (least, most) = (least.min(number), most.max(number));
    }
    let bits = 64 - (bucket.len() as u64).leading_zeros();
    let range = (most - least) * STEPS;
    if !range.is_finite() || range >= (1_u64 << (64 - bits).min(53)) as f64 {
        return None;
    }
    let mut words = Vec::with_capacity(bucket.len());
    for (place, &(number, _)) in bucket.iter().enumerate() {
        let step = (number - least) * STEPS;
        if step.fract() != 0.0 || least + step / STEPS != number {
            return None;
        }
        words.push((step as u64) << bits | place as u64);
    }
    words.sort_unstable();
    let mask = (1_u64 << bits) - 1;
    words.iter_mut().for_each(|word| *word &= mask);
    Some(words)
}

/// Rows in the order of `places`, by type; new rows sorted at the end of their type.
fn hold(
    table: &HandleTable,
    question: &Question<'_>,
    rows: &[u32],
    places: Places<'_>,
) -> HandleOrder {
    const NONE: u32 = u32::MAX;
    let ids = &table.columns().ids;
    let slot = |id: u64| (id as u32) as usize;
    let size = rows.last().map_or(0, |&row| slot(ids[row as usize]) + 1);
    let mut by_slot = vec![NONE; size];
    for (place, &id) in places.ids.iter().enumerate() {
        if let Some(known) = by_slot.get_mut(slot(id)) {
            *known = place as u32;
        }
    }
    let (mut by_place, mut newcomers) = (vec![NONE; places.ids.len()], Vec::new());
    for &row in rows {
        let id = ids[row as usize];
        let place = by_slot[slot(id)] as usize;
        if places.ids.get(place) == Some(&id) {
            by_place[place] = row;
        } else {
            newcomers.push(row);
        }
    }
    let newcomers = sort(table, question, newcomers, false);
    let stayed = by_place.iter().enumerate().filter(|(_, &row)| row != NONE);
    let was = |place: usize| places.arrived.get(place).copied().unwrap_or(0);
    let all = || {
        let old = stayed.clone().map(|(place, &row)| (row, was(place)));
        old.chain(newcomers.iter().map(|&row| (row, 1)))
    };
    let mut next = vec![0_usize; question.ranks(table) + 1];
    all().for_each(|(row, _)| next[question.rank(table, row) + 1] += 1);
    (1..next.len()).for_each(|rank| next[rank] += next[rank - 1]);
    let mut order = HandleOrder {
        rows: vec![0; rows.len()],
        arrived: vec![0; rows.len()],
        ..HandleOrder::default()
    };
    for (row, arrived) in all() {
        let place = &mut next[question.rank(table, row)];
        (order.rows[*place], order.arrived[*place]) = (row, arrived);
        *place += 1;
    }
    order
}

/// Count the rows of each type; rows of one type stand together.
fn groups(table: &HandleTable, rows: &[u32]) -> Vec<GroupCounts> {
    let columns = table.columns();
    let mut seen = HashSet::new();
    let mut groups = Vec::new();
    for part in
        rows.chunk_by(|&one, &other| columns.types[one as usize] == columns.types[other as usize])
    {
        let type_index = u64::from(columns.types[part[0] as usize]);
        let mut group = GroupCounts {
            type_index,
            rows: part.len() as u64,
            live: 0,
            objects: 0,
            pending: 0,
            unseen: 0,
            oldest_at: f64::NAN,
        };
        for row in part.iter().map(|&row| row as usize).filter(|&row| table.is_live(row)) {
            let born = table.created_at(row);
            let address = columns.addresses[row];
            let is_first = address == 0 || columns.alone[row] != 0 || seen.insert(address);
            group.live += 1;
            group.objects += u64::from(is_first);
            group.pending += u64::from(table.is_pending(row));
            group.unseen += u64::from(born.is_nan());
            // NaN gives way to any number
            group.oldest_at = group.oldest_at.min(born);
        }
        groups.push(group);
    }
    groups
}

/// Arrived rows that a sort would put above a live row before them. Dead rows are on their way
/// down and do not count.
fn arrivals(table: &HandleTable, question: &Question<'_>, order: &HandleOrder) -> u64 {
    let (mut start, mut count) = (0, 0);
    for group in &order.groups {
        let stop = start + group.rows as usize;
        if order.arrived[start..stop].contains(&1) {
            let mut most: Key = (0, f64::NEG_INFINITY);
            for place in start..stop {
                let row = order.rows[place] as usize;
                if !table.is_live(row) {
                    continue;
                }
                let key = question.key(table, row);
                count += u64::from(order.arrived[place] != 0 && key < most);
                if key > most {
                    most = key;
                }
            }
        }
        start = stop;
    }
    count
}
