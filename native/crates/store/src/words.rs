//! Sorts rows by numbers, fast where the numbers have few significant bits.

/// Bits that one pass of the sort by digits looks at.
const DIGIT: u32 = 11;
/// Shorter lists are sorted by comparing.
const SHORT: usize = 512;

/// Memory that one list after the other is sorted in.
#[derive(Default)]
pub(crate) struct Words {
    words: Vec<u64>,
    spare: Vec<u64>,
    rows: Vec<u32>,
}

impl Words {
    /// Sort `rows` by their `numbers`, none of which is NaN; rows of equal numbers keep their order.
    pub(crate) fn sort(&mut self, numbers: &[f64], rows: &mut [u32]) {
        if numbers.is_sorted() {
            return;
        }
        self.rows.clear();
        self.rows.extend_from_slice(rows);
        if let Some((bits, width)) = self.pack(numbers) {
            if numbers.len() < SHORT {
                self.words.sort_unstable();
            } else {
                self.sort_by_digits(bits, width);
            }
            let mask = (1_u64 << bits) - 1;
            for (place, word) in rows.iter_mut().zip(&self.words) {
                *place = self.rows[(word & mask) as usize];
            }
            return;
        }
        let mut places: Vec<u32> = (0..rows.len() as u32).collect();
        places.sort_by(|&one, &other| numbers[one as usize].total_cmp(&numbers[other as usize]));
        for (row, place) in rows.iter_mut().zip(places) {
            *row = self.rows[place as usize];
        }
    }

    /// Make a word of each number and its place. Returns the bits of a place and of a number; None
    /// where the numbers are no multiples of 2⁻²² in a range that leaves room for the places.
    fn pack(&mut self, numbers: &[f64]) -> Option<(u32, u32)> {
        /// Times of this age of the world are multiples of it, in seconds.
        const STEPS: f64 = 4_194_304.0;
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        for &number in numbers {
            (least, most) = (least.min(number), most.max(number));
        }
        let bits = 64 - (numbers.len() as u64).leading_zeros();
        let range = (most - least) * STEPS;
        if !range.is_finite() || range >= (1_u64 << (64 - bits).min(53)) as f64 {
            return None;
        }
        self.words.clear();
        for (place, &number) in numbers.iter().enumerate() {
            let step = (number - least) * STEPS;
            if step.fract() != 0.0 || least + step / STEPS != number {
                return None;
            }
            self.words.push((step as u64) << bits | place as u64);
        }
        Some((bits, 64 - (range as u64).leading_zeros()))
    }

    /// Places are in order already, so the digits above them decide.
    fn sort_by_digits(&mut self, bits: u32, width: u32) {
        self.spare.clear();
        self.spare.resize(self.words.len(), 0);
        for shift in (bits..bits + width).step_by(DIGIT as usize) {
            let digit = |word: u64| (word >> shift) as usize & ((1 << DIGIT) - 1);
            let mut starts = [0_u32; 1 << DIGIT];
            self.words.iter().for_each(|&word| starts[digit(word)] += 1);
            let mut start = 0;
            for count in &mut starts {
                (*count, start) = (start, start + *count);
            }
            for &word in &self.words {
                let place = &mut starts[digit(word)];
                self.spare[*place as usize] = word;
                *place += 1;
            }
            std::mem::swap(&mut self.words, &mut self.spare);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn expected(numbers: &[f64]) -> Vec<u32> {
        let mut rows: Vec<u32> = (0..numbers.len() as u32).collect();
        rows.sort_by(|&one, &other| {
            numbers[one as usize].partial_cmp(&numbers[other as usize]).expect("no NaN")
        });
        rows
    }

    fn sorted(numbers: &[f64]) -> Vec<u32> {
        let mut rows: Vec<u32> = (0..numbers.len() as u32).collect();
        Words::default().sort(numbers, &mut rows);
        rows
    }

    proptest! {
        #[test]
        fn rows_are_sorted_stably(
            steps in prop::collection::vec(-40_000_000_000_i64..40_000_000_000, 0..1500),
            coarse in 0..40_u32
        ) {
            let numbers: Vec<f64> =
                steps.iter().map(|&step| (step >> coarse) as f64 / 4_194_304.0 + 0.0).collect();
            prop_assert_eq!(sorted(&numbers), expected(&numbers));
        }

        #[test]
        fn numbers_of_every_size_are_sorted(
            numbers in prop::collection::vec(-1e300_f64..1e300, 0..700)
        ) {
            prop_assert_eq!(sorted(&numbers), expected(&numbers));
        }
    }

    #[test]
    fn the_infinite_is_larger_than_every_number() {
        assert_eq!(sorted(&[f64::INFINITY, 1.0, f64::NEG_INFINITY, 0.5]), [2, 3, 1, 0]);
    }
}
