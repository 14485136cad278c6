//! Moments of rows, compared without a division for each row.

use super::table::{TableClock, LAST_MOMENT};

/// Moments as ticks since the clock's anchor.
///
/// `TableClock::secs` never falls when ticks rise, so each limit in seconds is a limit in ticks.
#[derive(Clone, Copy)]
pub struct Moments {
    clock: TableClock,
    first: i64,
    last: i64,
    recent: i128,
}

impl Moments {
    /// Later moments than `recent`, seconds since the Unix epoch, are recent.
    pub fn new(clock: TableClock, recent: f64) -> Self {
        let secs = |since: i64| since as f64 / clock.ticks_per_sec + clock.anchor_secs;
        let first = i64::try_from(first_from(|since| secs(since) >= 0.0));
        let last = i64::try_from(first_from(|since| secs(since) > LAST_MOMENT) - 1);
        // without a first or a last moment there is none at all
        let (first, last) = first.ok().zip(last.ok()).unwrap_or((1, 0));
        Self { clock, first, last, recent: first_from(|since| secs(since) > recent) }
    }

    /// Ticks since the anchor; `None` where `TableClock::secs` is NaN.
    #[inline]
    pub fn since(&self, ticks: u64) -> Option<i64> {
        let since = self.ticks(ticks);
        (ticks != 0 && self.first <= since && since <= self.last).then_some(since)
    }

    /// Ticks since the anchor, also of no moment.
    #[inline]
    pub fn ticks(&self, ticks: u64) -> i64 {
        ticks.wrapping_sub(self.clock.anchor_ticks) as i64
    }

    /// Whether all ticks since the anchor from `first` to `last` are moments, and none is recent.
    #[inline]
    pub fn are_old(&self, first: i64, last: i64) -> bool {
        self.first <= first && last <= self.last && i128::from(last) < self.recent
    }

    /// Whether the moment is recent.
    #[inline]
    pub fn is_recent(&self, since: Option<i64>) -> bool {
        since.is_some_and(|since| i128::from(since) >= self.recent)
    }

    /// Seconds since the Unix epoch; NaN without a moment.
    pub fn secs(&self, since: Option<i64>) -> f64 {
        let ticks = |since: i64| (since as u64).wrapping_add(self.clock.anchor_ticks);
        since.map_or(f64::NAN, |since| self.clock.secs(ticks(since)))
    }
}

/// The least number that a property holds for, which holds for all greater numbers too; beyond
/// all numbers if it holds for none.
fn first_from(holds: impl Fn(i64) -> bool) -> i128 {
    let (mut low, mut high) = (i128::from(i64::MIN), i128::from(i64::MAX) + 1);
    while low < high {
        let middle = (low + high).div_euclid(2);
        if holds(middle as i64) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// The lesser of two moments; a moment that is not known gives way.
#[inline]
pub fn earlier(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        _ => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_number() -> impl Strategy<Value = f64> {
        prop_oneof![
            -1e10..1e12_f64,
            prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, 2.5e11]),
        ]
    }

    proptest! {
        #[test]
        fn moments_are_those_of_the_clock(
            anchor_ticks in any::<u64>(),
            anchor_secs in any_number(),
            ticks_per_sec in prop_oneof![1.0..1e10_f64, Just(1.0)],
            near in any::<i64>(),
            shift in 0..64_u32,
            recent in any_number(),
        ) {
            let clock = TableClock { anchor_ticks, anchor_secs, ticks_per_sec };
            let moments = Moments::new(clock, recent);
            for ticks in [0, 1, anchor_ticks.wrapping_add((near >> shift) as u64), near as u64] {
                let (secs, since) = (clock.secs(ticks), moments.since(ticks));
                prop_assert_eq!(since.is_none(), secs.is_nan());
                prop_assert_eq!(moments.secs(since).to_bits(), secs.to_bits());
                prop_assert_eq!(moments.is_recent(since), secs > recent);
                let ticks_since = moments.ticks(ticks);
                let is_old = ticks != 0 && moments.are_old(ticks_since, ticks_since);
                prop_assert_eq!(is_old, since.is_some() && !moments.is_recent(since));
            }
        }
    }
}
