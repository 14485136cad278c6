//! References with a name, which belong to no object.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::ops::Deref;
use std::sync::Arc;

use crate::object::Object;
use crate::object::TypeSpec;
use crate::ownership::with_raw;
use recorder::fork::{Rank, Section};
use segment::layout::Kind;
use segment::status::{Error, Result, Status};
use segment::sync::Lock;

/// Bytes of a name that are kept.
const NAME_LIMIT: usize = 120;

/// A name, and how many references have it.
pub type Named = (Box<str>, u32);

/// The names of references that are held now, by the address of their object.
pub(super) struct Labels {
    by_address: Lock<ByNumber<Vec<Named>>>,
    given: Lock<Given>,
}

type ByNumber<T> = HashMap<u64, T, BuildHasherDefault<DefaultHasher>>;

static LABELS: Labels = Labels {
    by_address: Lock::new(HashMap::with_hasher(BuildHasherDefault::new())),
    given: Lock::new(Given {
        last_number: 0,
        by_number: HashMap::with_hasher(BuildHasherDefault::new()),
    }),
};

static SECTION: Section = Section::new(Rank::Labels, || LABELS.hold(), release, |_| {});

/// # Safety
/// After `Labels::hold`, by the same thread or its copy in the child.
unsafe fn release() {
    // SAFETY: the caller's promise.
    unsafe { LABELS.let_go() };
}

/// The names that references of this process have. A fork holds their table from the first use on.
pub(super) fn labels() -> &'static Labels {
    SECTION.join();
    &LABELS
}

/// References that were made for callers of the C interface.
struct Given {
    last_number: u64,
    by_number: ByNumber<Raw>,
}

struct Raw {
    spec: &'static TypeSpec,
    data: u64,
    address: u64,
    name: Box<str>,
}

impl Labels {
    /// Holds the table across a fork.
    pub fn hold(&self) {
        self.by_address.hold();
        self.given.hold();
    }

    /// Unlocks it.
    ///
    /// # Safety
    /// Held by `hold` before.
    pub unsafe fn let_go(&self) {
        // SAFETY: the caller's promise.
        unsafe {
            self.given.let_go();
            self.by_address.let_go();
        }
    }

    /// The names of the references on an object, and how many references have each.
    pub fn of(&self, address: u64) -> Vec<Named> {
        self.by_address.lock().get(&address).cloned().unwrap_or_default()
    }

    fn add(&self, address: u64, name: &str) {
        let mut by_address = self.by_address.lock();
        let names = by_address.entry(address).or_default();
        match names.iter_mut().find(|(known, _)| &**known == name) {
            Some((_, count)) => *count += 1,
            None => names.push((name.into(), 1)),
        }
    }

    fn remove(&self, address: u64, name: &str) {
        let mut by_address = self.by_address.lock();
        let Some(names) = by_address.get_mut(&address) else { return };
        if let Some(at) = names.iter().position(|(known, _)| &**known == name) {
            names[at].1 -= 1;
            if names[at].1 == 0 {
                names.swap_remove(at);
            }
        }
        if names.is_empty() {
            by_address.remove(&address);
        }
    }
}

/// A name's start, from which no character is cut.
fn cut(name: &str) -> &str {
    let mut end = name.len().min(NAME_LIMIT);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

/// Counts the object of a handle up, under a name; the number that ends that.
pub fn label_handle(handle: u64, name: &str) -> Result<u64> {
    with_raw(handle, |spec, slot, data| {
        if spec.kind == Kind::Thin {
            return Err(Error::new(
                Status::BadArgument,
                format!("a {} counts in its row, where a reference has no name", spec.name),
            ));
        }
        // SAFETY: the pin of `with_raw` keeps the reference through the call.
        unsafe { (spec.operations.clone)(data) };
        let raw = Raw { spec, data, address: slot.address(), name: cut(name).into() };
        labels().add(raw.address, &raw.name);
        let mut given = labels().given.lock();
        given.last_number += 1;
        let number = given.last_number;
        given.by_number.insert(number, raw);
        Ok(number)
    })
}

/// Gives up a reference that `label_handle` made. A number is refused the second time.
pub fn drop_label(number: u64) -> Result<()> {
    let raw = labels().given.lock().by_number.remove(&number);
    let raw =
        raw.ok_or_else(|| Error::new(Status::BadArgument, format!("no such label: {number}")))?;
    labels().remove(raw.address, &raw.name);
    // SAFETY: the reference that `label_handle` counted up; its entry is gone, so it is given up
    // once.
    unsafe { (raw.spec.operations.release)(raw.data) };
    Ok(())
}

/// A strong reference with a name: as long as it lives, the inspector names it among the object's
/// holders.
pub struct Label<T: Object> {
    object: Arc<T>,
    address: u64,
    name: Box<str>,
}

impl<T: Object> Label<T> {
    /// Names a reference; a long name is cut.
    pub fn new(object: Arc<T>, name: &str) -> Self {
        let (address, name) = (Arc::as_ptr(&object) as u64 - T::spec().data_offset, cut(name));
        labels().add(address, name);
        Self { object, address, name: name.into() }
    }

    /// The reference itself; a clone of it has no name.
    pub fn arc(&self) -> &Arc<T> {
        &self.object
    }
}

impl<T: Object> Clone for Label<T> {
    /// Another reference of the same name.
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.object), &self.name)
    }
}

impl<T: Object> Drop for Label<T> {
    fn drop(&mut self) {
        labels().remove(self.address, &self.name);
    }
}

impl<T: Object> Deref for Label<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.object
    }
}
