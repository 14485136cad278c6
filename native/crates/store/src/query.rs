//! Handles counted by type and by the line that made them, against a mark.
//!
//! `inspector/model/aggregates.py` has the same in numpy; a test compares both.

use std::collections::HashMap;

use super::table::HandleTable;
use super::GivenUp;

/// Pairs of type and site that are counted in a plain table.
const DENSE: usize = 1 << 22;
/// Rows between two looks whether the question was given up.
const SOME: usize = 1 << 16;

/// Counts of one pair of type and site.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LineCounts {
    /// Index of the type.
    pub type_index: u64,
    /// Index of the site of creation; 0: it was not recorded.
    pub site: u64,
    /// Handles that live.
    pub live: u64,
    /// Live handles with a close that has not run.
    pub pending: u64,
    /// Live handles whose birth was not seen.
    pub unseen: u64,
    /// Handles that lived at the mark.
    pub before: u64,
    /// Live handles that the mark does not have.
    pub born: u64,
    /// Handles of the mark that live no more.
    pub died: u64,
    /// Birth of the oldest live handle whose birth was seen; NaN: there is none.
    pub oldest_at: f64,
}

/// The handles that lived at an earlier moment, one element a handle.
#[derive(Clone, Copy)]
pub struct Compared<'a> {
    /// Numbers.
    pub ids: &'a [u64],
    /// Indices of types.
    pub types: &'a [i64],
    /// Indices of sites.
    pub sites: &'a [i64],
}

/// Lines by type and site, and where each is counted.
struct Lines {
    found: Vec<LineCounts>,
    dense: Vec<u32>,
    sites: usize,
    sparse: HashMap<(u64, u64), u32>,
}

impl Lines {
    fn new(types: usize, sites: usize) -> Self {
        let size = types.saturating_mul(sites);
        let dense = if size <= DENSE { vec![0; size] } else { Vec::new() };
        Self { found: Vec::new(), dense, sites, sparse: HashMap::new() }
    }

    #[inline]
    fn of(&mut self, type_index: u64, site: u64) -> &mut LineCounts {
        let next = self.found.len() as u32 + 1;
        let dense = if self.dense.is_empty() {
            None
        } else {
            self.dense.get_mut(type_index as usize * self.sites + site as usize)
        };
        let number = dense.unwrap_or_else(|| self.sparse.entry((type_index, site)).or_insert(0));
        if *number == 0 {
            *number = next;
            self.found.push(LineCounts {
                type_index,
                site,
                live: 0,
                pending: 0,
                unseen: 0,
                before: 0,
                born: 0,
                died: 0,
                oldest_at: f64::NAN,
            });
        }
        let place = *number as usize - 1;
        &mut self.found[place]
    }
}

/// Which rows live that the mark does not have, and which handles of the mark live no more.
///
/// None: given up, or a column of the mark has another length.
pub fn compare(
    table: &HandleTable,
    mark: &Compared<'_>,
    is_given_up: GivenUp<'_>,
) -> Option<(Vec<bool>, Vec<bool>)> {
    let ids = &table.columns().ids;
    let slot = |id: u64| (id as u32) as usize;
    let size = mark.ids.iter().map(|&id| slot(id) + 1).max().unwrap_or(0);
    let mut places = vec![u32::MAX; size];
    mark.ids.iter().enumerate().for_each(|(place, &id)| places[slot(id)] = place as u32);
    let (mut is_born, mut is_dead) = (vec![false; ids.len()], vec![true; mark.ids.len()]);
    for (row, &id) in ids.iter().enumerate() {
        if row % SOME == 0 && is_given_up() {
            return None;
        }
        if !table.is_live(row) {
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

/// Count the handles of a table by type and site, ordered by both, against a mark if there is one.
///
/// None: given up, or the columns of the mark have several lengths.
pub fn lines(
    table: &HandleTable,
    mark: Option<&Compared<'_>>,
    is_given_up: GivenUp<'_>,
) -> Option<Vec<LineCounts>> {
    let columns = table.columns();
    let most = |column: &[i64]| column.iter().max().map_or(0, |&most| most.max(0) as usize);
    let (old_types, old_sites) = mark.map_or((0, 0), |mark| (most(mark.types), most(mark.sites)));
    let types = columns.types.iter().max().map_or(0, |&most| usize::from(most));
    let sites = columns.created_sites.iter().max().map_or(0, |&most| usize::from(most));
    let mut lines = Lines::new(types.max(old_types) + 1, sites.max(old_sites) + 1);
    let born = match mark {
        None => None,
        Some(mark) => {
            let length = mark.ids.len();
            if mark.types.len() != length || mark.sites.len() != length {
                return None;
            }
            let (is_born, is_dead) = compare(table, mark, is_given_up)?;
            for (place, &is_dead) in is_dead.iter().enumerate() {
                let line =
                    lines.of(mark.types[place].max(0) as u64, mark.sites[place].max(0) as u64);
                line.before += 1;
                line.died += u64::from(is_dead);
            }
            Some(is_born)
        }
    };
    for row in 0..columns.len() {
        if row % SOME == 0 && is_given_up() {
            return None;
        }
        if !table.is_live(row) {
            continue;
        }
        let created_at = table.created_at(row);
        let line = lines.of(u64::from(columns.types[row]), u64::from(columns.created_sites[row]));
        line.live += 1;
        line.pending += u64::from(table.is_pending(row));
        line.unseen += u64::from(created_at.is_nan());
        // NaN gives way to any number
        line.oldest_at = line.oldest_at.min(created_at);
        line.born += u64::from(born.as_ref().is_some_and(|born| born[row]));
    }
    let mut found = lines.found;
    found.sort_unstable_by_key(|line| (line.type_index, line.site));
    Some(found)
}
