//! A frozen table of handles.

use super::columns::{Columns, HandleField, IN_FLIGHT, PROXIES, STRONG, WEAK};
use super::pool::{give_back, Pool, Used};
use super::UNKNOWN;
use segment::layout::ResourceState;

const CLOSE_REQUESTED: u8 = ResourceState::CloseRequested as u8;
const CLOSING: u8 = ResourceState::Closing as u8;

/// The largest moment that a calendar has, seconds since the Unix epoch.
pub(crate) const LAST_MOMENT: f64 = 2.5e11;

/// How ticks become seconds since the Unix epoch: the anchor of a segment's header.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TableClock {
    /// At these ticks the wall clock showed `anchor_secs`.
    pub anchor_ticks: u64,
    /// Seconds since the Unix epoch.
    pub anchor_secs: f64,
    /// At least 1.
    pub ticks_per_sec: f64,
}

impl TableClock {
    /// Seconds since the Unix epoch; NaN: not recorded, or a moment that no calendar has.
    ///
    /// The steps are the steps of `inspector.model.clock.Clock.column`: equal to the last bit.
    #[inline]
    pub fn secs(&self, ticks: u64) -> f64 {
        let since_anchor = ticks.wrapping_sub(self.anchor_ticks) as i64;
        let moment = since_anchor as f64 / self.ticks_per_sec + self.anchor_secs;
        if ticks == 0 || !(0.0..=LAST_MOMENT).contains(&moment) {
            return f64::NAN;
        }
        moment
    }
}

/// A table: live rows and tombstones in slot order, as they were when it was published.
pub struct HandleTable {
    /// Rows of traits, with their inner and outer counts.
    pub(crate) traits: Vec<(u32, i32, i32)>,
    pub(crate) calls: Vec<(u32, u16)>,
    pub(crate) strangers: Vec<(u32, u32)>,
    pub(crate) named: Vec<u32>,
    pub(crate) damaged: usize,
    pub(crate) live: usize,
    pub(crate) clock: TableClock,
    pub(crate) used: Option<Used>,
    pub(crate) pool: Pool,
}

impl HandleTable {
    /// The columns.
    pub fn columns(&self) -> &Columns {
        static NONE: std::sync::OnceLock<Columns> = std::sync::OnceLock::new();
        match &self.used {
            Some(used) => &used.columns,
            None => NONE.get_or_init(Columns::default),
        }
    }

    /// Rows that are no tombstones.
    pub fn live(&self) -> usize {
        self.live
    }

    /// Rows that were left out: their states are none that the layout has.
    pub fn damaged(&self) -> usize {
        self.damaged
    }

    /// Number of the contents: two tables of one store with one version have equal columns.
    pub fn version(&self) -> u64 {
        self.used.as_ref().map_or(0, |used| used.version)
    }

    /// Rows of calls that run, each with the index of its thread.
    pub fn calls(&self) -> &[(u32, u16)] {
        &self.calls
    }

    /// Indices of threads without a record, each with the thread's number in the system.
    pub fn strangers(&self) -> &[(u32, u32)] {
        &self.strangers
    }

    /// For each index of a thread, how many living rows name it.
    pub fn named(&self) -> &[u32] {
        &self.named
    }

    /// The clock of its times.
    pub fn clock(&self) -> &TableClock {
        &self.clock
    }

    /// Whether the row is no tombstone.
    #[inline]
    pub fn is_live(&self, row: usize) -> bool {
        is_live(self.columns().references[row])
    }

    /// Whether a close of the row was asked for and has not run.
    #[inline]
    pub fn is_pending(&self, row: usize) -> bool {
        is_pending(self.columns().resources[row])
    }

    /// Birth of the row, seconds since the Unix epoch; NaN: it was not seen.
    #[inline]
    pub fn created_at(&self, row: usize) -> f64 {
        self.clock.secs(self.columns().created_at[row])
    }

    /// Last change of the row's states, seconds since the Unix epoch; NaN: it was not seen.
    #[inline]
    pub fn changed_at(&self, row: usize) -> f64 {
        self.clock.secs(self.columns().changed_at[row])
    }

    /// Write a column of whole numbers to `out`, which has as many elements as `rows`, or as the
    /// table when there are none. False: the column is of another sort, or a row is not there.
    pub fn write_ints(&self, field: HandleField, rows: Option<&[i64]>, out: &mut [i64]) -> bool {
        let columns = self.columns();
        let threads = &columns.threads;
        match field {
            HandleField::Types => spread(&columns.types, rows, out),
            HandleField::Strong => spread(&columns.counts[STRONG], rows, out),
            HandleField::Weak => spread(&columns.counts[WEAK], rows, out),
            HandleField::InFlight => spread(&columns.counts[IN_FLIGHT], rows, out),
            HandleField::Proxies => spread(&columns.counts[PROXIES], rows, out),
            HandleField::NativeRefs => self.write(rows, out, |row| self.native_refs(row)),
            HandleField::InnerStrong => self.write_traits(rows, out, |of_trait| of_trait.1),
            HandleField::OuterStrong => self.write_traits(rows, out, |of_trait| of_trait.2),
            HandleField::CreatedThreads => spread(&threads[0], rows, out),
            HandleField::LastThreads => spread(&threads[1], rows, out),
            HandleField::OwnerThreads => spread(&threads[2], rows, out),
            HandleField::RequesterThreads => spread(&threads[3], rows, out),
            HandleField::CreatedSites => spread(&columns.created_sites, rows, out),
            HandleField::LastSites => spread(&columns.last_sites, rows, out),
            _ => false,
        }
    }

    /// As `write_ints`, for a column of times.
    pub fn write_times(&self, field: HandleField, rows: Option<&[i64]>, out: &mut [f64]) -> bool {
        let ticks = match field {
            HandleField::CreatedAt => &self.columns().created_at,
            HandleField::ChangedAt => &self.columns().changed_at,
            _ => return false,
        };
        self.write(rows, out, |row| self.clock.secs(ticks[row]))
    }

    /// References that native code holds; `UNKNOWN` where a count of the difference is.
    #[inline]
    pub fn native_refs(&self, row: usize) -> i64 {
        let counts = &self.columns().counts;
        let (strong, proxies) = (counts[STRONG][row], counts[PROXIES][row]);
        if strong == UNKNOWN || proxies == UNKNOWN {
            return i64::from(UNKNOWN);
        }
        i64::from(strong) - i64::from(proxies)
    }

    fn write_traits(
        &self,
        rows: Option<&[i64]>,
        out: &mut [i64],
        of: impl Fn(&(u32, i32, i32)) -> i32,
    ) -> bool {
        if rows.is_none() && out.len() == self.columns().len() {
            out.fill(i64::from(UNKNOWN));
            for of_trait in &self.traits {
                out[of_trait.0 as usize] = i64::from(of(of_trait));
            }
            return true;
        }
        self.write(rows, out, |row| {
            let found = self.traits.binary_search_by_key(&(row as u32), |each| each.0);
            i64::from(found.map_or(UNKNOWN, |place| of(&self.traits[place])))
        })
    }

    fn write<T>(&self, rows: Option<&[i64]>, out: &mut [T], of: impl Fn(usize) -> T) -> bool {
        let count = self.columns().len();
        let Some(rows) = rows else {
            out.iter_mut().enumerate().take(count).for_each(|(row, place)| *place = of(row));
            return out.len() == count;
        };
        let are_there = rows.iter().all(|&row| usize::try_from(row).is_ok_and(|row| row < count));
        if are_there {
            out.iter_mut().zip(rows).for_each(|(place, &row)| *place = of(row as usize));
        }
        are_there && out.len() == rows.len()
    }
}

/// Whether a row with this state of its reference is live.
#[inline]
pub(crate) fn is_live(reference: u8) -> bool {
    (1..=2).contains(&reference)
}

/// Whether a close was requested and has not run, by the state of the resource.
#[inline]
pub(crate) fn is_pending(resource: u8) -> bool {
    (CLOSE_REQUESTED..=CLOSING).contains(&resource)
}

/// Copy a narrow column, all of it or these rows.
fn spread<T: Copy + Into<i64>>(column: &[T], rows: Option<&[i64]>, out: &mut [i64]) -> bool {
    let Some(rows) = rows else {
        out.iter_mut().zip(column).for_each(|(place, &value)| *place = value.into());
        return out.len() == column.len();
    };
    for (place, &row) in out.iter_mut().zip(rows) {
        let Some(&value) = usize::try_from(row).ok().and_then(|row| column.get(row)) else {
            return false;
        };
        *place = value.into();
    }
    out.len() == rows.len()
}

impl Drop for HandleTable {
    fn drop(&mut self) {
        if let Some(used) = self.used.take() {
            give_back(&self.pool, used);
        }
    }
}
