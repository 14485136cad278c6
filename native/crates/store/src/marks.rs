//! A set of positions of the segment's table, one bit each.

/// Positions that are noted for a while and then taken in order.
#[derive(Default)]
pub struct Marks {
    words: Vec<u64>,
    count: usize,
}

impl Marks {
    /// Note a position. False: it was noted before.
    pub fn add(&mut self, position: u32) -> bool {
        let word = position as usize / 64;
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let bit = 1 << (position % 64);
        let is_new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        self.count += usize::from(is_new);
        is_new
    }

    /// Whether none is noted.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// All positions noted, ascending; none is noted any more.
    pub fn take(&mut self) -> Vec<u32> {
        let mut found = Vec::with_capacity(self.count);
        for (word, bits) in self.words.iter_mut().enumerate() {
            let mut left = std::mem::take(bits);
            while left != 0 {
                found.push(word as u32 * 64 + left.trailing_zeros());
                left &= left - 1;
            }
        }
        self.count = 0;
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn noted_positions_are_taken_once_and_in_order(
            positions in prop::collection::vec(0..500_u32, 0..200)
        ) {
            let (mut marks, mut expected) = (Marks::default(), BTreeSet::new());
            for position in positions {
                prop_assert_eq!(marks.add(position), expected.insert(position));
            }
            prop_assert_eq!(marks.is_empty(), expected.is_empty());
            prop_assert_eq!(marks.take(), expected.into_iter().collect::<Vec<_>>());
            prop_assert!(marks.is_empty() && marks.take().is_empty());
        }
    }
}
