//! Which positions of the segment's table are rows of the columns, and the row of each.

/// A set of positions with ranks.
#[derive(Default)]
pub struct Rows {
    words: Vec<u64>,
    /// Rows before each word; of the moment of the last `settle`.
    before: Vec<u32>,
    count: usize,
    /// Grows when a row takes a place among older rows, so that the rows after it move.
    moves: u64,
    last: Option<u32>,
}

impl Rows {
    /// Rows.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Changes whenever rows moved.
    pub fn moves(&self) -> u64 {
        self.moves
    }

    /// Whether the position is a row.
    pub fn has(&self, position: u32) -> bool {
        let word = self.words.get(position as usize / 64).copied().unwrap_or(0);
        word >> (position % 64) & 1 != 0
    }

    /// Make the position a row, or no row any more.
    pub fn put(&mut self, position: u32, is_row: bool) {
        if self.has(position) == is_row {
            return;
        }
        let word = position as usize / 64;
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        self.words[word] ^= 1 << (position % 64);
        if is_row {
            self.count += 1;
        } else {
            self.count -= 1;
        }
        let is_at_the_end = is_row && self.last.is_none_or(|last| position > last);
        if is_at_the_end {
            self.last = Some(position);
        } else {
            self.moves += 1;
        }
    }

    /// Count the rows, after changes and before `row_of`.
    pub fn settle(&mut self) {
        self.before.clear();
        let mut count = 0;
        for word in &self.words {
            self.before.push(count);
            count += word.count_ones();
        }
    }

    /// The row at a position in the set.
    pub fn row_of(&self, position: u32) -> usize {
        let word = position as usize / 64;
        let below = self.words[word] & ((1 << (position % 64)) - 1);
        (self.before[word] + below.count_ones()) as usize
    }

    /// All positions that are rows, ascending.
    pub fn positions(&self) -> impl Iterator<Item = u32> + '_ {
        self.words.iter().enumerate().flat_map(|(word, &bits)| {
            let mut left = bits;
            std::iter::from_fn(move || {
                (left != 0).then(|| {
                    let bit = left.trailing_zeros();
                    left &= left - 1;
                    word as u32 * 64 + bit
                })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn a_row_is_the_number_of_positions_before_it(
            steps in prop::collection::vec((0..300_u32, any::<bool>()), 0..200)
        ) {
            let (mut rows, mut expected) = (Rows::default(), BTreeSet::new());
            for (position, is_row) in steps {
                rows.put(position, is_row);
                if is_row { expected.insert(position); } else { expected.remove(&position); }
            }
            rows.settle();
            prop_assert_eq!(rows.positions().collect::<Vec<_>>(), expected.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(rows.len(), expected.len());
            for (row, &position) in expected.iter().enumerate() {
                prop_assert!(rows.has(position));
                prop_assert_eq!(rows.row_of(position), row);
            }
        }
    }

    #[test]
    fn rows_at_the_end_move_no_other_row() {
        let mut rows = Rows::default();
        rows.put(1, true);
        rows.put(7, true);
        assert_eq!(rows.moves(), 0);
        rows.put(3, true);
        assert_eq!(rows.moves(), 1);
    }
}
