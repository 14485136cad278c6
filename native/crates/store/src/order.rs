//! Which rows a table of handles shows, in which order: grouped by type, sorted, or held.
//!
//! `inspector/model/grouping.py` has the same in numpy; a test compares both.

use super::groups::{GroupCounts, Groups};
use super::table::HandleTable;
use super::words::Words;
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
    let groups = Groups::of(table, question, &rows);
    let mut order = match held {
        None => {
            let rows = sort(table, question, rows, true);
            HandleOrder { arrived: vec![0; rows.len()], rows, ..HandleOrder::default() }
        }
        Some(places) => hold(table, question, &rows, &groups, places),
    };
    if is_given_up() {
        return None;
    }
    order.groups = groups.counted(table, &order.rows);
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

    pub(crate) fn rank(&self, table: &HandleTable, row: u32) -> usize {
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
    let mut starts = vec![0_usize; ranks * 3 + 1];
    let keys: Vec<(f64, u32)> = rows
        .iter()
        .map(|&row| {
            let (coarse, fine) = question.key(table, row as usize);
            let rank = if by_type { question.rank(table, row) } else { 0 };
            let bucket = rank * 3 + usize::from(coarse);
            starts[bucket + 1] += 1;
            (fine, bucket as u32)
        })
        .collect();
    (1..starts.len()).for_each(|bucket| starts[bucket] += starts[bucket - 1]);
    let (mut next, mut sorted) = (starts.clone(), vec![0_u32; rows.len()]);
    let mut numbers = vec![0.0; rows.len()];
    for (row, (fine, bucket)) in rows.into_iter().zip(keys) {
        let place = &mut next[bucket as usize];
        (sorted[*place], numbers[*place]) = (row, fine);
        *place += 1;
    }
    let mut words = Words::default();
    for bucket in starts.windows(2).filter(|bucket| bucket[1] - bucket[0] > 1) {
        let part = bucket[0]..bucket[1];
        words.sort(&numbers[part.clone()], &mut sorted[part]);
    }
    sorted
}

/// Rows in the order of `places`, by type; new rows sorted at the end of their type.
fn hold(
    table: &HandleTable,
    question: &Question<'_>,
    rows: &[u32],
    groups: &Groups,
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
    let old = stayed.map(|(place, &row)| (row, was(place)));
    let mut next = groups.starts();
    let mut order = HandleOrder {
        rows: vec![0; rows.len()],
        arrived: vec![0; rows.len()],
        ..HandleOrder::default()
    };
    for (row, arrived) in old.chain(newcomers.iter().map(|&row| (row, 1))) {
        let place = &mut next[usize::from(table.columns().types[row as usize])];
        (order.rows[*place], order.arrived[*place]) = (row, arrived);
        *place += 1;
    }
    order
}

/// Arrived rows that a sort would put above a live row before them. Dead rows are on their way
/// down and do not count.
fn arrivals(table: &HandleTable, question: &Question<'_>, order: &HandleOrder) -> u64 {
    /// The word of a dead row: less than the word of any number.
    const DEAD: u64 = 0;
    if !order.arrived.contains(&1) {
        return 0;
    }
    // in the table's order, which is quicker than in the order shown
    let word = |row| match question.key(table, row) {
        _ if !table.is_live(row) => DEAD,
        (0, fine) => ordered(fine),
        _ => u64::MAX,
    };
    let words: Vec<u64> = (0..table.columns().len()).map(word).collect();
    let (mut start, mut count) = (0, 0);
    for group in &order.groups {
        let stop = start + group.rows as usize;
        if order.arrived[start..stop].contains(&1) {
            let mut most = 0;
            for (&row, &arrived) in order.rows[start..stop].iter().zip(&order.arrived[start..stop])
            {
                let word = words[row as usize];
                count += u64::from(arrived != 0 && word != DEAD && word < most);
                most = most.max(word);
            }
        }
        start = stop;
    }
    count
}

/// A word that sorts as the number does; not 0.
fn ordered(number: f64) -> u64 {
    let bits = number.to_bits();
    if bits >> 63 == 0 {
        bits | 1 << 63
    } else {
        !bits
    }
}
