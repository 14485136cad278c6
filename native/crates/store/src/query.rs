//! Handles counted by two codes, such as type and line, against a mark.
//!
//! `inspector/model/aggregates.py` and `change_groups.py` have the same in numpy; tests compare.

use std::collections::HashMap;
use std::ops::Range;

use super::columns::{Columns, HandleField};
use super::moments::{earlier, Moments};
use super::table::{is_live, is_pending, HandleTable};
use super::GivenUp;

/// Pairs of codes that are counted in a plain table.
const DENSE: usize = 1 << 22;
/// Rows between two looks whether the question was given up.
const SOME: usize = 1 << 16;
/// Alike rows that are counted at once.
const RUN: usize = 64;
const _: () = assert!(SOME % RUN == 0);

/// Counts of one pair of codes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LineCounts {
    /// Outer code.
    pub outer: u64,
    /// Inner code.
    pub inner: u64,
    /// Handles that live, of the rows to count.
    pub live: u64,
    /// Handles that live, of all rows.
    pub whole: u64,
    /// Live handles with a close that has not run, of the rows to count.
    pub pending: u64,
    /// Live handles whose birth was not seen, of the rows to count.
    pub unseen: u64,
    /// Handles that lived at the mark.
    pub before: u64,
    /// Live handles that the mark does not have.
    pub born: u64,
    /// Handles of the mark that live no more.
    pub died: u64,
    /// Rows whose birth is recent.
    pub births: u64,
    /// Dead rows whose last change is recent.
    pub deaths: u64,
    /// Birth of the oldest live handle whose birth was seen, of the rows to count; NaN: there is
    /// none.
    pub oldest_at: f64,
}

/// The code of a row: its index in a column, or what a table says for that index.
#[derive(Clone, Copy)]
pub struct Coded<'a> {
    /// `Types`, `CreatedSites` or `CreatedThreads`.
    pub field: HandleField,
    /// The code of each index; empty: the index itself. An index beyond it has the code 0.
    pub codes: &'a [u32],
}

/// The handles that lived at an earlier moment, one element a handle.
#[derive(Clone, Copy)]
pub struct Compared<'a> {
    /// Numbers.
    pub ids: &'a [u64],
    /// Indices in the column of the outer code.
    pub outer: &'a [i64],
    /// Indices in the column of the inner code.
    pub inner: &'a [i64],
}

/// How to count.
#[derive(Clone, Copy)]
pub struct Counting<'a> {
    /// See `LineCounts::outer`.
    pub outer: Coded<'a>,
    /// See `LineCounts::inner`.
    pub inner: Coded<'a>,
    /// Not 0 for each row to count; empty: all rows.
    pub kept: &'a [u8],
    /// A mark to compare with.
    pub mark: Option<Compared<'a>>,
    /// Later births and deaths are recent, seconds since the Unix epoch.
    pub recent: f64,
}

impl Coded<'_> {
    fn column<'t>(&self, table: &'t HandleTable) -> Option<&'t [u16]> {
        let columns = table.columns();
        match self.field {
            HandleField::Types => Some(&columns.types),
            HandleField::CreatedSites => Some(&columns.created_sites),
            HandleField::CreatedThreads => Some(&columns.threads[0]),
            _ => None,
        }
    }

    #[inline]
    fn code(&self, index: u64) -> u64 {
        if self.codes.is_empty() {
            return index;
        }
        self.codes.get(index as usize).map_or(0, |&code| u64::from(code))
    }

    /// Larger than every code of these indices.
    fn size(&self, column: &[u16], old: &[i64]) -> usize {
        if let Some(&most) = self.codes.iter().max() {
            return most as usize + 1;
        }
        let old = old.iter().max().map_or(0, |&most| most.max(0) as usize);
        column.iter().max().map_or(0, |&most| usize::from(most)).max(old) + 1
    }
}

/// Counts of rows that follow each other and are of one line.
#[derive(Default)]
struct Run {
    codes: (u64, u64),
    is_there: bool,
    /// Without `oldest_at`.
    counts: LineCounts,
    /// `LineCounts::oldest_at`, as ticks since the anchor.
    oldest: Option<i64>,
}

/// Lines by both codes, and where each is counted.
struct Lines {
    found: Vec<LineCounts>,
    oldest: Vec<Option<i64>>,
    dense: Vec<u32>,
    inner: usize,
    sparse: HashMap<(u64, u64), u32>,
    run: Run,
}

impl Lines {
    fn new(outer: usize, inner: usize) -> Self {
        let size = outer.saturating_mul(inner);
        let dense = if size <= DENSE { vec![0; size] } else { Vec::new() };
        Self {
            found: Vec::new(),
            oldest: Vec::new(),
            dense,
            inner,
            sparse: HashMap::new(),
            run: Run::default(),
        }
    }

    /// The run that a row of this line belongs to.
    #[inline]
    fn run(&mut self, outer: u64, inner: u64) -> &mut Run {
        if !self.run.is_there || self.run.codes != (outer, inner) {
            self.end_run();
            (self.run.codes, self.run.is_there) = ((outer, inner), true);
        }
        &mut self.run
    }

    /// Count a row of these codes.
    #[inline(always)]
    fn add(
        &mut self,
        columns: &Columns,
        moments: &Moments,
        (row, codes): (usize, (u64, u64)),
        is_born: bool,
        is_kept: bool,
    ) {
        let Run { counts, oldest, .. } = self.run(codes.0, codes.1);
        let created_at = moments.since(columns.created_at[row]);
        counts.births += u64::from(moments.is_recent(created_at));
        if !is_live(columns.references[row]) {
            let changed_at = moments.since(columns.changed_at[row]);
            counts.deaths += u64::from(moments.is_recent(changed_at));
            return;
        }
        counts.whole += 1;
        counts.born += u64::from(is_born);
        if is_kept {
            counts.live += 1;
            counts.pending += u64::from(is_pending(columns.resources[row]));
            counts.unseen += u64::from(created_at.is_none());
            *oldest = earlier(*oldest, created_at);
        }
    }

    /// Count rows of one line at once, all but births since the mark. False, and
    /// none is counted, unless all are live and were born at known moments that are not recent.
    #[inline(always)]
    fn add_alike(
        &mut self,
        columns: &Columns,
        moments: &Moments,
        rows: Range<usize>,
        codes: (u64, u64),
    ) -> bool {
        let (mut first, mut last, mut is_known) = (i64::MAX, i64::MIN, true);
        for &ticks in &columns.created_at[rows.clone()] {
            let since = moments.ticks(ticks);
            (first, last) = (first.min(since), last.max(since));
            is_known &= ticks != 0;
        }
        let are_live =
            columns.references[rows.clone()].iter().fold(true, |all, &each| all & is_live(each));
        if !is_known || !are_live || !moments.are_old(first, last) {
            return false;
        }
        let resources = columns.resources[rows.clone()].iter();
        let pending = resources.map(|&resource| u64::from(is_pending(resource))).sum::<u64>();
        let Run { counts, oldest, .. } = self.run(codes.0, codes.1);
        counts.whole += rows.len() as u64;
        counts.live += rows.len() as u64;
        counts.pending += pending;
        *oldest = earlier(*oldest, Some(first));
        true
    }

    /// Add the run to the counts of the line.
    fn end_run(&mut self) {
        let Run { codes: (outer, inner), is_there, counts, oldest } = std::mem::take(&mut self.run);
        if !is_there {
            return;
        }
        let place = self.place(outer, inner);
        let line = &mut self.found[place];
        line.live += counts.live;
        line.whole += counts.whole;
        line.pending += counts.pending;
        line.unseen += counts.unseen;
        line.before += counts.before;
        line.born += counts.born;
        line.died += counts.died;
        line.births += counts.births;
        line.deaths += counts.deaths;
        self.oldest[place] = earlier(self.oldest[place], oldest);
    }

    fn place(&mut self, outer: u64, inner: u64) -> usize {
        let next = self.found.len() as u32 + 1;
        let dense = if self.dense.is_empty() {
            None
        } else {
            self.dense.get_mut(outer as usize * self.inner + inner as usize)
        };
        let number = dense.unwrap_or_else(|| self.sparse.entry((outer, inner)).or_insert(0));
        if *number == 0 {
            *number = next;
            let fresh = LineCounts { outer, inner, oldest_at: f64::NAN, ..LineCounts::default() };
            self.found.push(fresh);
            self.oldest.push(None);
        }
        *number as usize - 1
    }
}

/// Which rows live that the mark does not have, and which handles of the mark live no more.
///
/// None: given up, or a column of the mark has another length.
fn compare(
    table: &HandleTable,
    mark: &Compared<'_>,
    is_given_up: GivenUp<'_>,
) -> Option<(Vec<bool>, Vec<bool>)> {
    let (ids, references) = (&table.columns().ids, &table.columns().references);
    let slot = |id: u64| (id as u32) as usize;
    let size = mark.ids.iter().map(|&id| slot(id) + 1).max().unwrap_or(0);
    let mut places = vec![u32::MAX; size];
    mark.ids.iter().enumerate().for_each(|(place, &id)| places[slot(id)] = place as u32);
    let (mut is_born, mut is_dead) = (vec![false; ids.len()], vec![true; mark.ids.len()]);
    for (row, &id) in ids.iter().enumerate() {
        if row % SOME == 0 && is_given_up() {
            return None;
        }
        if !is_live(references[row]) {
            continue;
        }
        let place = places.get(slot(id)).map_or(usize::MAX, |&place| place as usize);
        if mark.ids.get(place) == Some(&id) {
            is_dead[place] = false;
        } else {
            is_born[row] = true;
        }
    }
    Some((is_born, is_dead))
}

/// Count the rows of a table by two codes, ordered by both.
///
/// None: given up, or the question does not fit the table.
pub fn lines(
    table: &HandleTable,
    counting: &Counting<'_>,
    is_given_up: GivenUp<'_>,
) -> Option<Vec<LineCounts>> {
    let columns = table.columns();
    let (outer, inner) = (counting.outer.column(table)?, counting.inner.column(table)?);
    if !counting.kept.is_empty() && counting.kept.len() != columns.len() {
        return None;
    }
    let (old_outer, old_inner) =
        counting.mark.as_ref().map_or((&[][..], &[][..]), |mark| (mark.outer, mark.inner));
    let mut lines =
        Lines::new(counting.outer.size(outer, old_outer), counting.inner.size(inner, old_inner));
    let born = match &counting.mark {
        None => None,
        Some(mark) => Some(count_mark(table, counting, mark, &mut lines, is_given_up)?),
    };
    let moments = Moments::new(*table.clock(), counting.recent);
    for first in (0..columns.len()).step_by(RUN) {
        if first % SOME == 0 && is_given_up() {
            return None;
        }
        let rows = first..(first + RUN).min(columns.len());
        let codes = |row: usize| {
            let (outer, inner) = (u64::from(outer[row]), u64::from(inner[row]));
            (counting.outer.code(outer), counting.inner.code(inner))
        };
        let are_alike = are_equal(&outer[rows.clone()])
            && are_equal(&inner[rows.clone()])
            && counting.kept.is_empty();
        if are_alike && lines.add_alike(columns, &moments, rows.clone(), codes(first)) {
            let born = born.as_ref().map_or(&[][..], |born| &born[rows]);
            lines.run.counts.born += born.iter().map(|&is_born| u64::from(is_born)).sum::<u64>();
            continue;
        }
        for row in rows {
            let is_kept = counting.kept.get(row).is_none_or(|&kept| kept != 0);
            let is_born = born.as_ref().is_some_and(|born| born[row]);
            lines.add(columns, &moments, (row, codes(row)), is_born, is_kept);
        }
    }
    lines.end_run();
    let mut found = lines.found;
    for (line, oldest) in found.iter_mut().zip(lines.oldest) {
        line.oldest_at = moments.secs(oldest);
    }
    found.sort_unstable_by_key(|line| (line.outer, line.inner));
    Some(found)
}

/// Whether all indices are the first.
fn are_equal(indices: &[u16]) -> bool {
    indices.iter().fold(0, |found, index| found | (index ^ indices[0])) == 0
}

/// Count the handles of the mark, and tell which rows it does not have.
fn count_mark(
    table: &HandleTable,
    counting: &Counting<'_>,
    mark: &Compared<'_>,
    lines: &mut Lines,
    is_given_up: GivenUp<'_>,
) -> Option<Vec<bool>> {
    if mark.outer.len() != mark.ids.len() || mark.inner.len() != mark.ids.len() {
        return None;
    }
    let (is_born, is_dead) = compare(table, mark, is_given_up)?;
    for (place, &is_dead) in is_dead.iter().enumerate() {
        let Run { counts, .. } = lines.run(
            counting.outer.code(mark.outer[place].max(0) as u64),
            counting.inner.code(mark.inner[place].max(0) as u64),
        );
        counts.before += 1;
        counts.died += u64::from(is_dead);
    }
    Some(is_born)
}
