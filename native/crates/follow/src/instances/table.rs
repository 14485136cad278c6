//! The table of all instances that are listed, and how an ending one is asked.

use std::cell::UnsafeCell;
use std::hash::BuildHasherDefault;

use crate::places::Places;

/// The record of an instance.
#[derive(Clone, Copy)]
pub struct Known {
    /// Its row, 0: it found no room.
    pub row: u64,
    /// Number of the [`Instances`] that it belongs to.
    pub owner: u32,
    /// The weak reference that sees its end; 0: its type's destructor does.
    pub reference: usize,
}

/// The answer of an ending instance to the question whether it gave its handle back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It did not.
    Open,
    /// It did.
    Closed,
    /// It cannot be asked.
    Unknown,
    /// Another holder took a reference meanwhile: the instance does not end.
    LivesOn,
}

/// Asks an instance whose end has begun:
/// `(whom, instance, whether a weak reference tells of the end)`, an [`Answer`] as a number.
pub type Ask = unsafe extern "C" fn(usize, usize, i32) -> i32;

/// The callback that asks the instances of a declaration.
#[derive(Clone, Copy)]
pub struct Asker {
    /// The function.
    pub ask: Ask,
    /// Its first argument.
    pub whom: usize,
}

/// The first step of an instance's end.
pub enum Ending {
    /// It has to be asked first.
    Asked(Asker),
    /// It is listed no longer.
    Removed(Known),
}

/// All instances that are listed.
pub struct Table {
    /// By address.
    pub known: Places<usize, Known>,
    /// Their addresses, by the weak reference that sees the end.
    pub by_reference: Places<usize, usize>,
    /// By the number of the declaration.
    pub askers: Places<u32, Asker>,
    /// Declarations so far.
    pub owners: u32,
}

/// The state behind the interpreter's lock.
struct Guarded(UnsafeCell<Table>);

// SAFETY: reached through `table` alone, whose callers hold the interpreter's lock.
unsafe impl Sync for Guarded {}

static TABLE: Guarded = Guarded(UnsafeCell::new(Table {
    known: Places::with_hasher(BuildHasherDefault::new()),
    by_reference: Places::with_hasher(BuildHasherDefault::new()),
    askers: Places::with_hasher(BuildHasherDefault::new()),
    owners: 0,
}));

/// Runs `body` with the table, which it gives back before it calls anything of the interpreter.
///
/// # Safety
/// The interpreter's lock is held, so no other thread is in here.
pub unsafe fn table<R>(body: impl FnOnce(&mut Table) -> R) -> R {
    // SAFETY: the caller's promise.
    body(unsafe { &mut *TABLE.0.get() })
}

impl Table {
    /// Takes an instance off. Its row and weak reference.
    pub fn remove(&mut self, key: usize) -> Option<Known> {
        let known = self.known.remove(&key)?;
        if known.reference != 0 {
            self.by_reference.remove(&known.reference);
        }
        Some(known)
    }

    /// Whether an instance is listed whose end is reported in this way: by a weak reference or by
    /// its type's destructor.
    pub fn is_ending(&self, key: usize, by_reference: bool) -> bool {
        self.known.get(&key).is_some_and(|known| (known.reference != 0) == by_reference)
    }

    /// Begins the end of such an instance; `None`: it is not listed.
    pub fn begin_end(&mut self, key: usize, by_reference: bool) -> Option<Ending> {
        let known = self.known.get(&key).filter(|known| (known.reference != 0) == by_reference)?;
        match self.askers.get(&known.owner) {
            Some(&asker) => Some(Ending::Asked(asker)),
            None => self.remove(key).map(Ending::Removed),
        }
    }

    /// An instance of that declaration.
    pub fn of(&self, owner: u32, key: usize) -> Option<&Known> {
        self.known.get(&key).filter(|known| known.owner == owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(row: u64, owner: u32, reference: usize) -> Known {
        Known { row, owner, reference }
    }

    fn listed() -> Table {
        let mut table = Table {
            known: Places::default(),
            by_reference: Places::default(),
            askers: Places::default(),
            owners: 2,
        };
        table.known.insert(64, known(7, 1, 0));
        table.known.insert(128, known(8, 2, 500));
        table.by_reference.insert(500, 128);
        table
    }

    #[test]
    fn an_instance_is_of_the_declaration_that_listed_it() {
        let table = listed();
        assert_eq!(table.of(1, 64).map(|known| known.row), Some(7));
        assert!(table.of(2, 64).is_none());
        assert!(table.of(1, 65).is_none());
    }

    #[test]
    fn an_instance_that_is_taken_off_leaves_no_reference_behind() {
        let mut table = listed();
        assert_eq!(table.remove(128).map(|known| known.reference), Some(500));
        assert!(table.by_reference.is_empty());
        assert!(table.remove(128).is_none());
        assert_eq!(table.remove(64).map(|known| known.row), Some(7));
        assert!(table.known.is_empty());
    }
}
