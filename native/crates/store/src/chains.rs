//! Which rows are handles of one object: a chain of rows for each object, and an index of their
//! first rows by the object's name.
//!
//! The index is open addressing over positions and hashes of names. The name itself is read from
//! the row, and only where the hashes are equal, so that a search touches few rows.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use segment::cpu::prefetch;

/// No row.
const NONE: u32 = u32::MAX;
const SMALLEST: usize = 64;

#[derive(Clone, Copy)]
struct Link {
    before: u32,
    after: u32,
}

#[derive(Clone, Copy)]
struct Head {
    position: u32,
    hash: u32,
}

const EMPTY: Head = Head { position: NONE, hash: 0 };

/// Chains of rows. `name_of` gives the name of a row's object, and must not change between
/// `add` and `remove` of that row.
pub struct Chains {
    links: Vec<Link>,
    heads: Vec<Head>,
    used: usize,
    /// Differs from store to store, so that no target can choose names of one hash.
    seed: u64,
}

impl Default for Chains {
    fn default() -> Self {
        let seed = RandomState::new().hash_one(0);
        Self { links: Vec::new(), heads: Vec::new(), used: 0, seed }
    }
}

impl Chains {
    /// Room for rows at positions below `rows`.
    pub fn grow(&mut self, rows: usize) {
        if self.links.len() < rows {
            self.links.resize(rows, Link { before: NONE, after: NONE });
        }
    }

    /// Forget all chains.
    pub fn clear(&mut self) {
        self.links.fill(Link { before: NONE, after: NONE });
        self.heads.fill(EMPTY);
        self.used = 0;
    }

    /// Begin to fetch the place of `name` in the index.
    pub fn prefetch(&self, name: u64) {
        let place = self.hash(name) as usize & self.heads.len().wrapping_sub(1);
        if let Some(head) = self.heads.get(place) {
            prefetch(head);
        }
    }

    /// Begin to fetch the links of the row at `position`.
    pub fn prefetch_row(&self, position: u32) {
        if let Some(links) = self.links.get(position as usize) {
            prefetch(links);
        }
    }

    /// Put the row at `position` into the chain of the object called `name`, which is not 0.
    pub fn add(&mut self, position: u32, name: u64, name_of: impl Fn(u32) -> u64) {
        self.make_room();
        let hash = self.hash(name);
        let place = self.place(name, hash, &name_of);
        let head = self.heads[place].position;
        self.heads[place] = Head { position, hash };
        self.links[position as usize] = Link { before: NONE, after: head };
        if head == NONE {
            self.used += 1;
        } else {
            self.links[head as usize].before = position;
        }
    }

    /// Take the row at `position` out of its chain. Returns another row of the chain.
    pub fn remove(&mut self, position: u32, name: u64) -> Option<u32> {
        let Link { before, after } = self.links[position as usize];
        self.links[position as usize] = Link { before: NONE, after: NONE };
        if after != NONE {
            self.links[after as usize].before = before;
        }
        if before != NONE {
            self.links[before as usize].after = after;
            return Some(before);
        }
        let place = self.place_of(position, self.hash(name));
        if after != NONE {
            self.heads[place].position = after;
            return Some(after);
        }
        self.empty(place);
        None
    }

    /// The first row of the chain that the row at `position` is in.
    pub fn head(&self, position: u32) -> u32 {
        let mut at = position;
        while self.links[at as usize].before != NONE {
            at = self.links[at as usize].before;
        }
        at
    }

    /// Whether the row at `position` has its chain for itself, or is in none.
    pub fn is_alone(&self, position: u32) -> bool {
        let Link { before, after } = self.links[position as usize];
        before == NONE && after == NONE
    }

    /// The row after the row at `position` in its chain.
    pub fn after(&self, position: u32) -> Option<u32> {
        let after = self.links[position as usize].after;
        (after != NONE).then_some(after)
    }

    /// The place in the index where `name` stands, or where it would stand.
    fn place(&self, name: u64, hash: u32, name_of: &impl Fn(u32) -> u64) -> usize {
        self.first(hash, |head| {
            head.position == NONE || head.hash == hash && name_of(head.position) == name
        })
    }

    /// The place of the chain that the row at `position` is the first of.
    fn place_of(&self, position: u32, hash: u32) -> usize {
        self.first(hash, |head| head.position == NONE || head.position == position)
    }

    /// All bits of the name decide on the hash.
    fn hash(&self, name: u64) -> u32 {
        ((u128::from(name ^ self.seed) * 0x9E37_79B9_7F4A_7C15) >> 32) as u32
    }

    fn first(&self, hash: u32, is_found: impl Fn(&Head) -> bool) -> usize {
        let mask = self.heads.len() - 1;
        let mut place = hash as usize & mask;
        while !is_found(&self.heads[place]) {
            place = (place + 1) & mask;
        }
        place
    }

    /// Empty a place, and move the entries up that stood behind it only because it was taken.
    fn empty(&mut self, place: usize) {
        let mask = self.heads.len() - 1;
        let (mut hole, mut at) = (place, place);
        self.used -= 1;
        loop {
            self.heads[hole] = EMPTY;
            loop {
                at = (at + 1) & mask;
                if self.heads[at].position == NONE {
                    return;
                }
                let wanted = self.heads[at].hash as usize & mask;
                // the entry may not move before its own place
                if (at.wrapping_sub(wanted) & mask) >= (at.wrapping_sub(hole) & mask) {
                    break;
                }
            }
            self.heads[hole] = self.heads[at];
            hole = at;
        }
    }

    /// At most two of three places are taken.
    fn make_room(&mut self) {
        if (self.used + 1) * 3 <= self.heads.len() * 2 {
            return;
        }
        let size = (self.heads.len() * 2).max(SMALLEST);
        let old = std::mem::replace(&mut self.heads, vec![EMPTY; size]);
        for head in old.into_iter().filter(|head| head.position != NONE) {
            let place = self.first(head.hash, |other| other.position == NONE);
            self.heads[place] = head;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn chain(chains: &Chains, position: u32) -> Vec<u32> {
        let mut rows = vec![chains.head(position)];
        while let Some(next) = chains.after(rows[rows.len() - 1]) {
            rows.push(next);
        }
        rows.sort_unstable();
        rows
    }

    proptest! {
        #[test]
        fn rows_of_one_name_are_one_chain(steps in prop::collection::vec((0..60_u32, 1..20_u64), 0..400)) {
            let mut names = vec![0_u64; 60];
            let mut chains = Chains::default();
            chains.grow(60);
            for (position, name) in steps {
                let known = names.clone();
                if known[position as usize] != 0 {
                    let old = known[position as usize];
                    let other = chains.remove(position, old);
                    let others = known.iter().filter(|&&each| each == old).count() - 1;
                    prop_assert_eq!(other.is_some(), others > 0);
                }
                names[position as usize] = name;
                chains.add(position, name, |row| names[row as usize]);
                let mut expected: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
                for (row, &name) in names.iter().enumerate().filter(|(_, &name)| name != 0) {
                    expected.entry(name).or_default().push(row as u32);
                }
                for rows in expected.values() {
                    prop_assert_eq!(&chain(&chains, rows[0]), rows);
                    prop_assert_eq!(chains.is_alone(rows[0]), rows.len() == 1);
                }
            }
        }
    }
}
