//! The count at rest of objects that each call clones for its duration.
//!
//! A single sample may meet a call. The least of several is the count without calls as soon as one
//! sample met no call, and the newest sample's surplus over it is calls in flight.
//!
//! A count that is the same in each of many glimpses, pass after pass, is at rest, even if an
//! earlier count differed. As long as it moves, the least of the last two windows is believed.
//! While eight threads call methods of one object, fewer than one sample in a hundred meets no
//! call: such a count rises and falls, and as long as it does, windows are long.

/// Samples of a window.
pub const WINDOW_PASSES: u16 = 5;
/// Samples of a window in which the count fell after it had risen.
pub const BUSY_PASSES: u16 = 100;
/// Passes in which a count did not move, the first one not counted, until it is believed to rest.
pub const STILL_PASSES: u8 = 2;

/// References that one look found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// All references to the object beyond its handles' references; negative: fewer than handles.
    pub beyond: i32,
    /// The count that the object's own `Arc` would have with a single handle.
    pub inner: i32,
}

/// The memory of one object, kept with each of its handles.
#[derive(Clone, Copy, Debug, Default)]
pub struct Resting {
    generation: u32,
    /// Sum of the addresses of the `Arc`s around the object's: when it changes, the parts of a
    /// count change too.
    shape: u64,
    /// Least of this window and of the window before; of equal samples the newest, since a
    /// reference may have moved from outer to inner.
    least: Sample,
    least_before: Sample,
    last: i32,
    passes: u16,
    still_passes: u8,
    /// It moved since the last pass.
    has_moved: bool,
    /// It fell within this window.
    is_busy: bool,
    /// Seen once so far.
    is_fresh: bool,
    is_unreadable: bool,
}

impl Resting {
    /// Whether it remembers the object of the row in this generation.
    pub fn knows(&self, generation: u32) -> bool {
        self.generation == generation && !self.is_unreadable
    }

    /// The same memory for another handle of the object.
    pub fn of(self, generation: u32) -> Self {
        Self { generation, ..self }
    }

    /// Take the first sample of a pass. Returns the one at rest.
    pub fn observe(&mut self, generation: u32, shape: u64, sample: Sample) -> Sample {
        let is_fresh = !self.knows(generation);
        if is_fresh || self.shape != shape {
            let last = sample.beyond;
            // a new object may be in calls just now; later looks will show it
            *self = Self {
                generation,
                shape,
                least: sample,
                least_before: sample,
                last,
                is_fresh: true,
                ..Self::default()
            };
        } else {
            self.is_fresh = false;
        }
        self.glimpse(sample);
        self.passes += 1;
        let resting = self.resting();
        if self.passes >= if self.is_busy { BUSY_PASSES } else { WINDOW_PASSES } {
            (self.least_before, self.least, self.passes, self.is_busy) =
                (self.least, sample, 0, false);
        }
        resting
    }

    /// Take one more look at the object within the same pass. Returns the sample at rest.
    pub fn glimpse(&mut self, sample: Sample) -> Sample {
        self.is_busy |= sample.beyond < self.last;
        self.has_moved |= sample.beyond != self.last;
        self.last = sample.beyond;
        self.least = if sample.beyond <= self.least.beyond { sample } else { self.least };
        self.resting()
    }

    /// The glimpses of a pass are over, `sample` was the last. Returns the sample at rest.
    pub fn settle(&mut self, sample: Sample) -> Sample {
        let has_moved = std::mem::take(&mut self.has_moved);
        self.still_passes = if has_moved { 0 } else { self.still_passes.saturating_add(1) };
        if self.still_passes >= STILL_PASSES {
            (self.least, self.least_before, self.passes, self.is_busy) = (sample, sample, 0, false);
        }
        self.resting()
    }

    /// Whether more looks would help: the last sample is above the rest, the count rises and falls,
    /// or nothing is known of it.
    pub fn is_in_doubt(&self) -> bool {
        self.is_busy || self.is_fresh || self.last > self.resting().beyond
    }

    /// Whether it was seen in one pass only, and did not move in it.
    pub fn is_fresh_and_still(&self) -> bool {
        self.is_fresh && !self.has_moved
    }

    fn resting(&self) -> Sample {
        if self.least.beyond <= self.least_before.beyond {
            self.least
        } else {
            self.least_before
        }
    }

    /// The row could not be read. True: it could be before, or this is the first try in its
    /// generation.
    pub fn lose(&mut self, generation: u32) -> bool {
        let is_new = self.generation != generation || !self.is_unreadable;
        *self = Self { generation, is_unreadable: true, ..Self::default() };
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(strong: i32) -> Sample {
        Sample { beyond: strong - 1, inner: strong }
    }

    fn observe_all(resting: &mut Resting, generation: u32, samples: &[i32]) -> Vec<i32> {
        samples.iter().map(|&strong| resting.observe(generation, 0, plain(strong)).inner).collect()
    }

    /// Passes with glimpses that all find the same.
    fn settle_all(resting: &mut Resting, samples: &[i32]) -> Vec<i32> {
        let mut pass = |strong| {
            resting.observe(1, 0, plain(strong));
            resting.glimpse(plain(strong));
            resting.settle(plain(strong)).inner
        };
        samples.iter().map(|&strong| pass(strong)).collect()
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
    fn fewer_references_than_handles_show_at_once() {
        let mut resting = Resting::default();
        assert_eq!(resting.observe(1, 0, plain(0)).beyond, -1);
        assert_eq!(resting.glimpse(plain(-1)).beyond, -2);
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
    fn a_count_that_stood_still_in_all_glimpses_of_some_passes_is_believed_at_once() {
        let mut resting = Resting::default();
        assert_eq!(settle_all(&mut resting, &[1, 5, 5, 5, 5]), [1, 1, 1, 5, 5]);
        assert!(!resting.is_in_doubt());
    }

    #[test]
    fn a_count_that_went_up_and_down_for_long_rests_as_soon_as_it_stands_still() {
        let mut resting = Resting::default();
        observe_all(&mut resting, 1, &[1]);
        let busy: Vec<i32> = (0..90).map(|at| 4 + at % 3).collect();
        observe_all(&mut resting, 1, &busy);
        assert_eq!(settle_all(&mut resting, &[5, 5, 5]), [1, 1, 5]);
    }

    #[test]
    fn a_count_that_moved_between_two_passes_does_not_rest() {
        let mut resting = Resting::default();
        assert_eq!(settle_all(&mut resting, &[1, 3, 2, 3, 2, 3, 2]), [1; 7]);
    }

    #[test]
    fn the_least_is_believed_for_long_while_the_count_goes_up_and_down() {
        let mut resting = Resting::default();
        observe_all(&mut resting, 1, &[1]);
        let busy: Vec<i32> = (0..90).map(|at| 4 + at % 3).collect();
        assert_eq!(observe_all(&mut resting, 1, &busy), [1; 90]);
        assert!(resting.is_in_doubt());
    }

    #[test]
    fn a_count_that_grew_under_load_shows_in_the_end() {
        let mut resting = Resting::default();
        observe_all(&mut resting, 1, &[1]);
        let busy: Vec<i32> = (0..2 * i32::from(BUSY_PASSES) + 20).map(|at| 4 + at % 3).collect();
        assert_eq!(observe_all(&mut resting, 1, &busy).last(), Some(&4));
    }

    #[test]
    fn a_glimpse_of_less_counts_at_once() {
        let mut resting = Resting::default();
        assert_eq!(observe_all(&mut resting, 1, &[6, 7]), [6, 6]);
        assert_eq!(resting.glimpse(plain(2)), plain(2));
        assert_eq!(resting.observe(1, 0, plain(7)), plain(2));
    }

    #[test]
    fn an_object_seen_for_the_first_time_is_in_doubt_and_one_that_stays_is_not() {
        let mut resting = Resting::default();
        observe_all(&mut resting, 1, &[3]);
        assert!(resting.is_in_doubt() && resting.is_fresh_and_still());
        observe_all(&mut resting, 1, &[3, 3]);
        assert!(!resting.is_in_doubt());
    }

    #[test]
    fn another_generation_begins_anew() {
        let mut resting = Resting::default();
        observe_all(&mut resting, 1, &[1, 1]);
        assert_eq!(resting.observe(2, 0, plain(7)), plain(7));
    }

    #[test]
    fn another_handle_of_the_object_shares_its_memory() {
        let mut resting = Resting::default();
        observe_all(&mut resting, 1, &[1, 1]);
        let mut other = resting.of(7);
        assert!(other.knows(7) && !other.knows(1));
        assert_eq!(other.observe(7, 0, plain(3)), plain(1));
    }

    #[test]
    fn an_unreadable_row_is_told_once_until_it_could_be_read_again() {
        let mut resting = Resting::default();
        assert!(resting.lose(1));
        assert!(!resting.lose(1));
        assert_eq!(resting.observe(1, 0, plain(9)), plain(9));
        assert!(resting.lose(1));
        assert!(resting.lose(2));
    }

    #[test]
    fn the_parts_of_a_count_are_those_of_the_sample_that_was_at_rest() {
        let sample = |inner: i32, outer: i32| Sample { beyond: inner + outer - 2, inner };
        let mut resting = Resting::default();
        assert_eq!(resting.observe(1, 9, sample(2, 3)), sample(2, 3));
        assert_eq!(resting.observe(1, 9, sample(3, 3)), sample(2, 3), "a call in the object");
        assert_eq!(resting.observe(1, 9, sample(2, 4)), sample(2, 3), "a call on its way in");
        assert_eq!(
            resting.observe(1, 9, sample(3, 2)),
            sample(3, 2),
            "a clone of the handle became a reference of the object"
        );
        assert_eq!(resting.observe(1, 8, sample(3, 4)), sample(3, 4), "another handle");
    }
}
