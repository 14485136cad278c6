//! The count at rest of objects that each call clones for its duration.
//!
//! A single sample may meet a call. The least of several is the count without calls as soon as one of them met none, and the
//! newest sample's surplus over it is calls in flight. A count that really grew shows after at most two windows.

/// Samples of a window.
pub const WINDOW_PASSES: u8 = 5;

/// The memory of one row.
#[derive(Clone, Copy, Debug, Default)]
pub struct Resting {
    generation: u32,
    /// Least of this window and of the one before.
    least: u32,
    least_before: u32,
    passes: u8,
    is_unreadable: bool,
}

impl Resting {
    /// Take a sample of the row in this generation. Returns the count at rest.
    pub fn observe(&mut self, generation: u32, strong: u32) -> u32 {
        if self.generation != generation || self.is_unreadable {
            *self = Self { generation, least: strong, least_before: strong, passes: 0, is_unreadable: false };
        }
        self.least = self.least.min(strong);
        self.passes += 1;
        let resting = self.least.min(self.least_before);
        if self.passes == WINDOW_PASSES {
            (self.least_before, self.least, self.passes) = (self.least, strong, 0);
        }
        resting
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

    fn observe_all(resting: &mut Resting, generation: u32, samples: &[u32]) -> Vec<u32> {
        samples.iter().map(|&strong| resting.observe(generation, strong)).collect()
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
    fn another_generation_begins_anew() {
        let mut resting = Resting::default();
        observe_all(&mut resting, 1, &[1, 1]);
        assert_eq!(resting.observe(2, 7), 7);
    }

    #[test]
    fn an_unreadable_row_is_told_once_until_it_could_be_read_again() {
        let mut resting = Resting::default();
        assert!(resting.lose(1));
        assert!(!resting.lose(1));
        assert_eq!(resting.observe(1, 9), 9);
        assert!(resting.lose(1));
        assert!(resting.lose(2));
    }
}
