//! How much is read of debug information.
//!
//! Parsers of debug information recurse, and build tables that are larger than their input. So
//! every byte that a parser takes is counted, and the depth of the stack is looked at. That bounds
//! time, memory and stack for any file.

use std::cell::Cell;
use std::rc::Rc;

/// Bytes of debug information that are parsed of one library, each page that is read of the file
/// included.
pub(crate) const MOST_BYTES: u64 = 256 << 20;
/// Bytes of symbols and debug information that are read for one process.
pub(crate) const MOST_BYTES_OF_PROCESS: u64 = 1 << 30;
/// A byte of a line program becomes a row of some 32 bytes.
pub(crate) const LINE_WEIGHT: u64 = 8;
/// Bytes of stack that a parser may use below the point where it was called.
const MOST_STACK: usize = 512 << 10;

/// Bytes that may still be read for one process, shared by the budgets of its libraries.
pub type Total = Rc<Cell<u64>>;

/// Bytes that may still be read of one library.
pub struct Budget {
    left: Cell<u64>,
    total: Total,
    /// Position on the stack where a parser was called.
    stack: Cell<usize>,
    is_exceeded: Cell<bool>,
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(MOST_BYTES, &Rc::new(Cell::new(MOST_BYTES_OF_PROCESS)))
    }
}

impl Budget {
    /// So many bytes, if the process has as many left.
    pub fn new(bytes: u64, total: &Total) -> Self {
        Self {
            left: Cell::new(bytes),
            total: total.clone(),
            stack: Cell::new(0),
            is_exceeded: Cell::new(false),
        }
    }

    /// Runs a parser; its stack is measured from here.
    pub fn measured<T>(&self, parser: impl FnOnce() -> T) -> T {
        self.stack.set(stack_position());
        parser()
    }

    /// Takes bytes; false when there are not so many left, or the parser is too deep.
    pub fn take(&self, bytes: u64) -> bool {
        let is_deep = self.stack.get().saturating_sub(stack_position()) > MOST_STACK;
        let left = self.left.get().checked_sub(bytes);
        match (left, self.total.get().checked_sub(bytes)) {
            (Some(left), Some(total)) if !is_deep && !self.is_exceeded.get() => {
                self.left.set(left);
                self.total.set(total);
            }
            _ => self.is_exceeded.set(true),
        }
        !self.is_exceeded.get()
    }

    /// Whether a parser wanted more than there was.
    pub fn is_exceeded(&self) -> bool {
        self.is_exceeded.get()
    }
}

#[inline(never)]
fn stack_position() -> usize {
    let here = 0_u8;
    std::hint::black_box(&raw const here) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recurse(budget: &Budget, depth: u32) -> u32 {
        let room = std::hint::black_box([0_u8; 64]);
        if depth == 0 || !budget.take(1) {
            return depth + u32::from(room[0]);
        }
        recurse(budget, depth - 1)
    }

    #[test]
    fn no_more_is_taken_than_there_is() {
        let total = Rc::new(Cell::new(15));
        let budget = Budget::new(10, &total);
        assert!(budget.measured(|| budget.take(4) && budget.take(6) && !budget.is_exceeded()));
        assert!(!budget.take(1) && budget.is_exceeded());
        let second = Budget::new(10, &total);
        assert!(second.measured(|| second.take(5) && !second.take(1)));
    }

    #[test]
    fn a_parser_that_recurses_without_end_is_stopped() {
        let budget = Budget::default();
        assert_eq!(budget.measured(|| recurse(&budget, 10)), 0);
        assert!(budget.measured(|| recurse(&budget, u32::MAX)) > 0);
        assert!(budget.is_exceeded());
    }
}
