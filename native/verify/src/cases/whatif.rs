//! The emulator of destructors, whose code and data belong to a target: any bytes.

use whatif::{Page, Rehearsal, Source, MOST_INSTRUCTIONS, PAGE};

const CODE: u64 = 0x40_0000;
const OBJECT: u64 = 0x50_0000;
const FUNCTIONS: u64 = 0x60_0000;
/// Pages around the code and the object that can be read.
const READABLE: u64 = 4;

struct Memory<'a>(&'a [u8]);

impl Source for Memory<'_> {
    fn page(&mut self, address: u64) -> Option<Page> {
        let is_near = |base: u64| (base..base + READABLE * PAGE).contains(&address);
        if self.0.is_empty() || ![CODE, OBJECT, FUNCTIONS].into_iter().any(is_near) {
            return None;
        }
        let mut page = [0; PAGE as usize];
        for (offset, byte) in page.iter_mut().enumerate() {
            *byte = self.0[(address as usize + offset) % self.0.len()];
        }
        Some(page)
    }
}

/// Run a case.
///
/// # Panics
/// A finding.
pub fn run(bytes: &[u8]) {
    let functions = (0..whatif::FUNCTIONS.len()).map(|each| (FUNCTIONS + 16 * each as u64, each));
    let mut rehearsal = Rehearsal::new(Memory(bytes), functions, OBJECT, [(OBJECT + 24, CODE)]);
    for entry in [CODE, CODE + 1, FUNCTIONS] {
        let outcome = rehearsal.drop_object(OBJECT, entry);
        assert!(outcome.steps <= MOST_INSTRUCTIONS + 1);
        assert!(outcome.effects.iter().all(|each| each.after <= each.before));
    }
}
