//! The count at rest of objects that each call clones for its duration.
//!
//! A single sample may meet a call. The least of several is the count without calls as soon as one of them met none, and the
//! newest sample's surplus over it is calls in flight. A count that really grew, and does nothing but that, shows after at most two windows.
//!
//! While eight threads call methods of one object, fewer than one sample in a hundred meets no call. Such a count goes up and down; as long as it
//! does, windows are long, so that what was once seen as the least is believed until many glimpses have not seen it again.

use crate::layout::STRONG_UNKNOWN;

/// Samples of a window.
pub const WINDOW_PASSES: u16 = 5;
/// Samples of a window in which the count fell after it had risen.
pub const BUSY_PASSES: u16 = 100;

/// References that one look found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// On the object, those of the `Arc` around it for its own among them.
    pub strong: u32,
    /// What that `Arc` counts, 0: there is none.
    pub outer: u32,
}

impl Sample {
    /// From what the object's `Arc` counts, and the one around it. None: more than a row has room for.
    pub fn new(inner: u64, outer: u64) -> Option<Self> {
        // the outer one's first reference is the inner one that it holds
        let strong = u32::try_from(inner.checked_add(outer.saturating_sub(1))?).ok().filter(|&strong| strong != STRONG_UNKNOWN)?;
        Some(Self { strong, outer: u32::try_from(outer).ok()? })
    }

    /// What the object's own `Arc` counts.
    pub fn inner(self) -> u32 {
        self.strong - self.outer.saturating_sub(1)
    }
}

/// The memory of one row.
#[derive(Clone, Copy, Debug, Default)]
pub struct Resting {
    generation: u32,
    /// Least of this window and of the one before; of equal ones the newest, since a reference may have moved from outer to inner.
    least: Sample,
    least_before: Sample,
    last: u32,
    passes: u16,
    /// It fell within this window.
    is_busy: bool,
    is_unreadable: bool,
}

impl Resting {
    /// Take a sample of the row in this generation. Returns the one at rest.
    pub fn observe(&mut self, generation: u32, sample: Sample) -> Sample {
        if self.generation != generation || self.is_unreadable {
            *self = Self { generation, least: sample, least_before: sample, last: sample.strong, ..Self::default() };
        }
        self.glimpse(sample);
        self.passes += 1;
        let resting = self.resting();
        if self.passes >= if self.is_busy { BUSY_PASSES } else { WINDOW_PASSES } {
            (self.least_before, self.least, self.passes, self.is_busy) = (self.least, sample, 0, false);
        }
        resting
    }

    /// Take one more look at the row within the same pass. Returns the sample at rest.
    pub fn glimpse(&mut self, sample: Sample) -> Sample {
        self.is_busy |= sample.strong < self.last;
        self.last = sample.strong;
        self.least = if sample.strong <= self.least.strong { sample } else { self.least };
        self.resting()
    }

    /// Whether more looks would tell more: the last sample is above the rest, or the count goes up and down.
    pub fn is_in_doubt(&self) -> bool {
        self.is_busy || self.last > self.resting().strong
    }

    fn resting(&self) -> Sample {
        if self.least.strong <= self.least_before.strong {
            self.least
        } else {
            self.least_before
        }
    }

    /// The row could not be read. True: it could be before, or this is the first try in its generation.
    pub fn lose(&mut self, generation: u32) -> bool {
        let is_new = self.generation != generation || !self.is_unreadable;
        *self = Self { generation, is_unreadable: true, ..Self::default() };
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(strong: u32) -> Sample {
        Sample { strong, outer: 0 }
    }

    fn observe_all(resting: &mut Resting, generation: u32, samples: &[u32]) -> Vec<u32> {
        samples.iter().map(|&strong| resting.observe(generation, plain(strong)).strong).collect()
    }

    #[test]
    fn calls_in_flight_do_not_raise_the_resting_count() {
        let mut resting = Resting::default();
        assert_eq!(observe_all(&mut resting, 1, &[1, 2, 3, 1, 2, 4, 2, 2, 1]), [1; 9]);
    }

    #[test]
    fn a_lower_count_shows_at_once() {
        let mut resting = Resting::default();
        assert_eq!(observe_all(&mut resting, 1, &[4, 4, 3, 4]), [4, 4, 3, 3]);
    }

    #[test]
    fn a_count_that_really_grew_shows_after_two_windows_at_most() {
        let mut resting = Resting::default();
        observe_all(&mut resting, 1, &[1]);
        let seen = observe_all(&mut resting, 1, &[2; 2 * WINDOW_PASSES as usize]);
        assert_eq!(seen.first(), Some(&1));
        assert_eq!(seen.last(), Some(&2));
    }

    #[test]
    fn the_least_is_believed_for_long_while_the_count_goes_up_and_down() {
        let mut resting = Resting::default();
        observe_all(&mut resting, 1, &[1]);
        let busy: Vec<u32> = (0..90).map(|at| 4 + at % 3).collect();
        assert_eq!(observe_all(&mut resting, 1, &busy), [1; 90]);
        assert!(resting.is_in_doubt());
    }

    #[test]
    fn a_count_that_grew_under_load_shows_in_the_end() {
        let mut resting = Resting::default();
        observe_all(&mut resting, 1, &[1]);
        let busy: Vec<u32> = (0..2 * u32::from(BUSY_PASSES) + 20).map(|at| 4 + at % 3).collect();
        assert_eq!(observe_all(&mut resting, 1, &busy).last(), Some(&4));
    }

    #[test]
    fn a_glimpse_of_less_counts_at_once() {
        let mut resting = Resting::default();
        assert_eq!(observe_all(&mut resting, 1, &[6, 7]), [6, 6]);
        assert_eq!(resting.glimpse(plain(2)), plain(2));
        assert_eq!(resting.observe(1, plain(7)), plain(2));
    }

    #[test]
    fn a_count_that_stays_leaves_no_doubt() {
        let mut resting = Resting::default();
        observe_all(&mut resting, 1, &[3, 3, 3]);
        assert!(!resting.is_in_doubt());
    }

    #[test]
    fn another_generation_begins_anew() {
        let mut resting = Resting::default();
        observe_all(&mut resting, 1, &[1, 1]);
        assert_eq!(resting.observe(2, plain(7)), plain(7));
    }

    #[test]
    fn an_unreadable_row_is_told_once_until_it_could_be_read_again() {
        let mut resting = Resting::default();
        assert!(resting.lose(1));
        assert!(!resting.lose(1));
        assert_eq!(resting.observe(1, plain(9)), plain(9));
        assert!(resting.lose(1));
        assert!(resting.lose(2));
    }

    #[test]
    fn the_parts_of_a_count_are_those_of_the_sample_that_was_at_rest() {
        let sample = |inner, outer| Sample::new(inner, outer).unwrap_or_default();
        let mut resting = Resting::default();
        assert_eq!(resting.observe(1, sample(2, 3)), sample(2, 3));
        assert_eq!(resting.observe(1, sample(3, 3)), sample(2, 3), "a call in the object");
        assert_eq!(resting.observe(1, sample(2, 4)), sample(2, 3), "a call on its way in");
        assert_eq!(resting.observe(1, sample(3, 2)), sample(3, 2), "a clone of the handle became a reference of the object");
        assert_eq!((sample(3, 2).strong, sample(3, 2).inner()), (4, 3));
    }

    #[test]
    fn a_sample_beyond_all_reason_is_none() {
        assert_eq!(Sample::new(u64::MAX, 1), None);
        assert_eq!(Sample::new(u64::MAX, 2), None);
        assert_eq!(Sample::new(1, u64::from(u32::MAX)), None);
        assert_eq!(Sample::new(u64::from(STRONG_UNKNOWN), 0), None);
        assert_eq!(Sample::new(1, 0).map(Sample::inner), Some(1));
    }
}
