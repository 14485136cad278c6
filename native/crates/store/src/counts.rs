//! The counts of one object, from its rows. `inspector/model/counts.py` explains them; a test
//! compares both.

use std::collections::HashMap;

use super::handles::{
    has_outer, is_counted_use, is_handle, is_live, is_use, reference, sampled, short, KIND_PINS,
    KIND_SHARES, KIND_TRAIT,
};
use segment::layout::{HandleSlot, ReferenceState};

/// Counts of a row, as the columns have them; -1: unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub strong: i32,
    pub weak: i32,
    pub in_flight: i32,
    pub proxies: i32,
    /// No other row is of its object.
    pub is_alone: bool,
}

/// The two counts of a trait's row; -1: unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraitCounts {
    pub inner: i32,
    pub outer: i32,
}

/// The part of an object's counts that outer `Arc`s add.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beyond {
    /// References of the outer `Arc`s beyond one each.
    pub count: i64,
    /// Outer `Arc`s.
    pub arcs: i64,
    /// An outer `Arc` was not read.
    pub is_unread: bool,
}

/// A row of an object.
#[derive(Clone, Copy)]
pub struct Member {
    pub position: u32,
    pub row: HandleSlot,
    pub kind: u16,
    /// Calls of threads that use this row.
    pub pins: i64,
    /// Count of the outer `Arc` that the row's handle points into; -1: unknown, or none.
    pub outer: i64,
}

/// The facts that all rows of an object share.
#[derive(Default)]
struct Object {
    has_name: bool,
    rows: usize,
    first: Option<(i64, i64, i64)>,
    handles: i64,
    plain: i64,
    uses: i64,
    pinned: i64,
    beyond: Beyond,
}

/// Compute the counts of an object's rows, which are in slot order, and tell each.
///
/// `has_name` is false for a row that is of no object; it is the only one then. `has_outers`: some
/// row of the table points into an outer `Arc`.
pub fn count(
    members: &[Member],
    has_name: bool,
    beyond: Beyond,
    mut tell: impl FnMut(u32, Counts, Option<TraitCounts>),
) {
    let mut object = Object { has_name, rows: members.len(), beyond, ..Object::default() };
    for each in members {
        let (row, kind) = (&each.row, each.kind);
        object.first = object.first.or_else(|| sampled_counts(each).filter(|_| has_name));
        let handle = i64::from(is_handle(row, kind));
        object.handles += handle;
        object.plain += handle & i64::from(!has_outer(row, kind));
        object.uses += i64::from(is_counted_use(row, kind));
        object.pinned += each.pins + i64::from(is_use(row, kind));
    }
    for member in members {
        let (counts, of_trait) = object.of(member);
        tell(member.position, counts, of_trait);
    }
}

fn sampled_counts(member: &Member) -> Option<(i64, i64, i64)> {
    let row = &member.row;
    sampled(row.strong).map(|strong| (strong, short(row.weak), short(row.in_flight)))
}

impl Object {
    fn of(&self, member: &Member) -> (Counts, Option<TraitCounts>) {
        let (row, kind) = (&member.row, member.kind);
        let own = (short(row.weak), short(row.in_flight));
        let known = self.first.or_else(|| sampled_counts(member));
        let (weak, seen) = known.map_or(own, |(_, weak, calls)| (weak, calls));
        let mut proxies = if self.has_name { self.handles } else { -1 };
        let inner = known.map(|(strong, ..)| {
            strong + if self.has_name { self.plain + self.beyond.arcs - 1 } else { 0 }
        });
        let beyond = if self.has_name { self.beyond } else { Beyond::default() };
        let total = inner.filter(|_| !beyond.is_unread).map_or(-1, |inner| inner + beyond.count);
        let outer = if has_outer(row, kind) && known.is_some() { member.outer } else { -1 };
        let moved = self.moved(total, proxies, seen);
        let inner = inner.unwrap_or(-1);
        let is_trait = is_live(row) && kind & KIND_TRAIT != 0;
        let of_trait = is_trait.then(|| TraitCounts {
            inner: narrow(if outer == -1 && inner > moved { inner - moved } else { inner }),
            outer: narrow(if outer > moved { outer - moved } else { outer }),
        });
        let is_dropped = reference(row) == ReferenceState::Dropped as u8;
        let strong = match () {
            () if is_live(row) => total - moved,
            () if is_dropped => 0,
            () => -1,
        };
        if is_live(row) {
            proxies = match () {
                () if kind & KIND_SHARES != 0 => -1,
                () if !self.has_name && strong != -1 => 1,
                () => proxies,
            };
        } else if is_dropped {
            proxies = 0;
        }
        let counts = Counts {
            strong: narrow(strong),
            weak: if is_live(row) { narrow(weak) } else { -1 },
            in_flight: if is_live(row) { narrow(self.in_flight(member, seen)) } else { 0 },
            proxies: narrow(proxies),
            is_alone: self.rows == 1,
        };
        (counts, of_trait)
    }

    /// References of calls that run, which sampling took for native code's.
    fn moved(&self, strong: i64, proxies: i64, seen: i64) -> i64 {
        let held = if self.has_name { self.uses } else { 0 };
        if held == 0 || strong == -1 || proxies == -1 {
            return 0;
        }
        let spare = (strong - proxies).max(0);
        (held - seen.max(0)).max(0).min(spare)
    }

    fn in_flight(&self, member: &Member, seen: i64) -> i64 {
        let own = member.pins + i64::from(is_use(&member.row, member.kind));
        let most = seen.max(if self.has_name { self.pinned } else { own });
        let is_known = member.kind & KIND_PINS != 0 || most > 0 || seen != -1;
        if is_known {
            most
        } else {
            -1
        }
    }
}

/// A count of the columns: 31 bits are enough for every count that is true.
fn narrow(count: i64) -> i32 {
    count.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}

/// Counts of trait's rows by position.
pub type TraitMap = HashMap<u32, TraitCounts>;
