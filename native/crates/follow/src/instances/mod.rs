//! The rows of instances of declared classes: a row for each that lives and has a handle, from its
//! birth (or the scan that found it) to its release.
//!
//! One table for all classes, by the instance's address, because the reporter of an end (a weak
//! reference, a type's destructor) knows only the address. The end is always reported before the
//! memory is freed, so a listed address belongs to the listed instance. Like everything here it is
//! used with the interpreter's lock held.

mod table;

use std::collections::hash_map::Entry;

use crate::places::Places;
use table::{table, Asker, Ending, Known};

pub use table::{Answer, Ask};

use recorder::levels;
use recorder::rows::{self, Fate, NewRow};
use recorder::runtime::{existing, runtime};
use recorder::threads::{self, local};
use recorder::types::{self, Described};
use segment::layout::{Kind, Level, ReferenceState};

/// The target of an instance's handle and the place of birth.
#[derive(Clone, Copy, Debug)]
pub struct Newborn {
    /// The instance.
    pub key: usize,
    /// A place in memory that the handle names, 0: it names none.
    pub address: u64,
    /// The handle.
    pub handle: u64,
    /// Call stack of the birth; `None`: the instance is older than the recording.
    pub site: Option<u32>,
    /// The weak reference that sees its end; 0: its type's destructor does.
    pub reference: usize,
}

/// The description of a type that is made with its first row, because most classes have none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Late {
    /// Name.
    pub name: String,
    /// Origin.
    pub origin: String,
    /// Kind.
    pub kind: Kind,
}

/// The rows of one declaration. Every function needs the interpreter's lock.
pub struct Instances {
    number: u32,
    /// 0: it is described when the first instance is listed.
    type_id: u16,
    late: Option<Late>,
    closes: bool,
    is_followed: bool,
}

impl Instances {
    /// Knows no instance. `closes`: the declaration names a method that does. `ask` is called with
    /// `whom` at the end of an instance of a closing class.
    ///
    /// # Safety
    /// The interpreter's lock is held.
    pub unsafe fn new(type_id: u16, closes: bool, ask: Ask, whom: usize) -> Self {
        // SAFETY: the caller's promise.
        let number = unsafe {
            table(|table| {
                table.owners += 1;
                if closes {
                    table.askers.insert(table.owners, Asker { ask, whom });
                }
                table.owners
            })
        };
        Self { number, type_id, late: None, closes, is_followed: true }
    }

    /// Describes the type of its rows, which is made with the first of them.
    pub fn describe(&mut self, late: Late) {
        self.late = Some(late);
    }

    /// Makes the type that was described. False: there is no room for it, which is counted.
    fn has_type(&mut self) -> bool {
        if let Some(late) = self.late.take() {
            let described = Described {
                name: &late.name,
                origin: &late.origin,
                close_signature: "",
                kind: late.kind as u8,
                closes: false,
                is_thread_affine: false,
                size_bytes: 0,
                data_offset: 0,
            };
            self.type_id = types::describe(runtime(), &described).unwrap_or(0);
        }
        self.type_id != 0
    }

    /// The level in force for its rows, as far as that decides whether there is a row and how much
    /// of a stack it has. While nothing has a history, one load.
    pub fn level(&self) -> u8 {
        match levels::hottest() {
            _ if !self.is_followed => Level::Off as u8,
            cool if cool < Level::History as u8 => cool,
            _ => levels::level_of_any(runtime(), self.type_id),
        }
    }

    /// The row of an instance; `None`: it is not listed, or with another declaration. A row that
    /// found no room is 0.
    ///
    /// # Safety
    /// The interpreter's lock is held.
    pub unsafe fn row(&self, key: usize) -> Option<u64> {
        // SAFETY: the caller's promise.
        unsafe { table(|table| table.of(self.number, key).map(|known| known.row)) }
    }

    /// The weak reference of an instance, 0: it has none.
    ///
    /// # Safety
    /// The interpreter's lock is held.
    pub unsafe fn reference(&self, key: usize) -> usize {
        // SAFETY: the caller's promise.
        unsafe { table(|table| table.of(self.number, key).map_or(0, |known| known.reference)) }
    }

    /// Gives an instance a row and lists it, unless it is listed or its class not followed any
    /// more. Whether it was not: then the weak reference is kept.
    ///
    /// # Safety
    /// The interpreter's lock is held, and the instance lives.
    pub unsafe fn add(&mut self, born: &Newborn) -> bool {
        if !self.is_followed || !self.has_type() {
            return false;
        }
        // SAFETY: the caller's promise; making a row calls nothing of the interpreter.
        unsafe {
            table(|table| {
                let Entry::Vacant(place) = table.known.entry(born.key) else { return false };
                place.insert(Known {
                    row: self.make(born),
                    owner: self.number,
                    reference: born.reference,
                });
                if born.reference != 0 {
                    table.by_reference.insert(born.reference, born.key);
                }
                true
            })
        }
    }

    /// Lists an instance without a row, so that it gets none as long as it lives. Whether it was not
    /// listed.
    ///
    /// # Safety
    /// The interpreter's lock is held, and the instance lives.
    pub unsafe fn hide(&self, key: usize) -> bool {
        let known = Known { row: 0, owner: self.number, reference: 0 };
        // SAFETY: the caller's promise.
        unsafe {
            table(|table| match table.known.contains_key(&key) {
                true => false,
                false => table.known.insert(key, known).is_none(),
            })
        }
    }

    fn make(&self, born: &Newborn) -> u64 {
        let owner = if born.site.is_some() && types::is_thread_affine(runtime(), self.type_id) {
            threads::here()
        } else {
            0
        };
        let is_born_now = born.site.is_some();
        let row = NewRow {
            type_id: self.type_id,
            address: born.address,
            data: born.handle,
            owner,
            is_foreign: false,
            is_born_now,
        };
        let before = local(|local| local.site.replace(born.site.unwrap_or(0)));
        let made = rows::add(runtime(), &row).unwrap_or(0); // a row without room is counted
        local(|local| local.site.set(before));
        made
    }

    /// An instance gave its handle back: its row ends. The weak reference that is not needed any
    /// more, 0: there is none.
    ///
    /// # Safety
    /// The interpreter's lock is held.
    pub unsafe fn release(&self, key: usize) -> usize {
        // SAFETY: the caller's promise.
        let Some(known) = (unsafe { self.forget(key) }) else { return 0 };
        let ended = match self.closes {
            true => rows::end_with(runtime(), known.row, ReferenceState::Released, Fate::Closed),
            false => rows::end(runtime(), known.row, ReferenceState::Released),
        };
        let _ = ended; // a row that found no room has nothing to end
        known.reference
    }

    /// Takes an instance off the list; its row stays. The weak reference that is not needed any
    /// more, 0: there is none.
    ///
    /// # Safety
    /// The interpreter's lock is held.
    pub unsafe fn let_go(&self, key: usize) -> usize {
        // SAFETY: the caller's promise.
        unsafe { self.forget(key) }.map_or(0, |known| known.reference)
    }

    /// # Safety
    /// The interpreter's lock is held.
    unsafe fn forget(&self, key: usize) -> Option<Known> {
        // SAFETY: the caller's promise.
        unsafe {
            table(|table| {
                table.of(self.number, key)?;
                table.remove(key)
            })
        }
    }

    /// Instances that are listed.
    ///
    /// # Safety
    /// The interpreter's lock is held.
    pub unsafe fn keys(&self) -> Vec<usize> {
        // SAFETY: the caller's promise.
        unsafe {
            table(|table| {
                let own = table.known.iter().filter(|(_, known)| known.owner == self.number);
                own.map(|(&key, _)| key).collect()
            })
        }
    }

    /// The instance of a row, 0: there is none.
    ///
    /// # Safety
    /// The interpreter's lock is held.
    pub unsafe fn key(&self, row: u64) -> usize {
        // SAFETY: the caller's promise.
        unsafe {
            table(|table| {
                let its = table
                    .known
                    .iter()
                    .find(|(_, known)| known.owner == self.number && known.row == row);
                its.map_or(0, |(&key, _)| key)
            })
        }
    }

    /// Ends the questions to its instances.
    ///
    /// # Safety
    /// The interpreter's lock is held.
    pub unsafe fn ask_nobody(&self) {
        // SAFETY: the caller's promise.
        unsafe { table(|table| table.askers.remove(&self.number)) };
    }

    /// Stops following the class: births are not listed any more, and its rows disappear from the
    /// table without a trace.
    pub fn clear(&mut self) {
        self.is_followed = false;
        self.late = None;
        // a type that was never made has no rows
        let _ = rows::clear(runtime(), self.type_id);
    }
}

/// How many instances are listed.
///
/// # Safety
/// The interpreter's lock is held.
pub unsafe fn count() -> usize {
    // SAFETY: the caller's promise.
    unsafe { table(|table| table.known.len()) }
}

/// A weak reference says that its instance has ended, without having given its handle back before.
/// Whether the reference is a listed instance's: then it is not needed any more.
///
/// # Safety
/// The interpreter's lock is held, and the instance's memory is not given back yet.
pub unsafe fn gone(reference: usize) -> bool {
    // SAFETY: the caller's promise.
    let key = unsafe { table(|table| table.by_reference.get(&reference).copied()) };
    // SAFETY: the caller's promise.
    key.is_some_and(|key| unsafe { end(key, true) }.is_some())
}

/// A type's destructor runs for an object: if it was listed without a weak reference, its row ends.
/// Whether the object lives on: then its destructor must not run.
///
/// # Safety
/// The interpreter's lock is held.
pub unsafe fn ends(object: usize) -> bool {
    // SAFETY: the caller's promise.
    unsafe { end(object, false) == Some(Answer::LivesOn) }
}

/// Asks an instance that is listed, takes it off and ends its row. `None`: it is not listed, or is
/// not any more.
///
/// # Safety
/// The interpreter's lock is held, and the instance's memory is not given back yet.
unsafe fn end(key: usize, by_reference: bool) -> Option<Answer> {
    // SAFETY: the caller's promise. The table is not in use while the instance is asked, which may
    // run any code.
    unsafe {
        let answer = match table(|table| table.begin_end(key, by_reference))? {
            Ending::Removed(known) => {
                end_dropped(known.row, Answer::Unknown);
                return Some(Answer::Unknown);
            }
            Ending::Asked(asker) => answer((asker.ask)(asker.whom, key, i32::from(by_reference))),
        };
        if answer != Answer::LivesOn {
            let known = table(|table| {
                table.is_ending(key, by_reference).then(|| table.remove(key)).flatten()
            })?;
            end_dropped(known.row, answer);
        }
        Some(answer)
    }
}

fn answer(number: i32) -> Answer {
    [Answer::Open, Answer::Closed, Answer::Unknown, Answer::LivesOn]
        .into_iter()
        .find(|answer| *answer as i32 == number)
        .unwrap_or(Answer::Unknown)
}

fn end_dropped(row: u64, answer: Answer) {
    let fate = match answer {
        Answer::Open => Fate::AsItStands,
        Answer::Closed => Fate::Closed,
        Answer::Unknown | Answer::LivesOn => Fate::Unknown,
    };
    if let Some(runtime) = existing() {
        // a row that found no room has nothing to end
        let _ = rows::end_with(runtime, row, ReferenceState::Dropped, fate);
    }
}

/// Which declaration's rows the instances of a class have, by the class's address.
#[derive(Default)]
pub struct Owners(Places<usize, usize>);

impl Owners {
    /// The first one stays.
    pub fn set(&mut self, class: usize, owner: usize) {
        self.0.entry(class).or_insert(owner);
    }

    /// 0: none.
    pub fn get(&self, class: usize) -> usize {
        self.0.get(&class).copied().unwrap_or(0)
    }

    /// No class is followed any more.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_declaration_of_a_class_keeps_it() {
        let mut owners = Owners::default();
        owners.set(1, 10);
        owners.set(1, 20);
        assert_eq!((owners.get(1), owners.get(2)), (10, 0));
        owners.clear();
        assert_eq!(owners.get(1), 0);
    }
}
