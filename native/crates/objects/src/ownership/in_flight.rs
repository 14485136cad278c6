//! Strong references on their way across the boundary, in a buffer that holds a compound value.
//!
//! A buffer is a number, and each reference in it is another number, which the bytes of the value
//! carry at the place of a handle in UniFFI's `RustBuffer`. A reference moves into the buffer when
//! it is lowered and out of it when it is lifted. The end of the buffer gives up the references
//! that are still in it, so no failure half-way leaves one behind. Numbers are never used again,
//! and 0 is never a number.

use std::collections::{BTreeMap, BTreeSet};
use std::mem::ManuallyDrop;

use super::arc::with_raw;
use super::checked;
use super::Traced;
use crate::object::index_of;
use crate::object::Object;
use crate::object::TypeSpec;
use recorder::events;
use recorder::fork::{Rank, Section};
use recorder::levels;
use recorder::rows::{self, NewRow};
use recorder::runtime::runtime;
use segment::layout::{EventKind, Kind, Level};
use segment::status::{Error, Result, Status};
use segment::sync::{Guard, Lock};

/// How the inspector names these references among the native holders of an object.
pub const LABEL: &str = "in flight";

/// The state of all buffers. No other lock is taken and no object's code runs while it is held.
static BUFFERS: Lock<Buffers> =
    Lock::new(Buffers { last: 0, open: BTreeSet::new(), references: BTreeMap::new() });

struct Buffers {
    /// The newest number of a buffer or a reference.
    last: u64,
    open: BTreeSet<u64>,
    /// By the number of their buffer and their own.
    references: BTreeMap<(u64, u64), Reference>,
}

impl Buffers {
    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }
}

static SECTION: Section = Section::new(Rank::Buffers, || BUFFERS.hold(), release, |_| {});

/// # Safety
/// After `BUFFERS.hold`, by the same thread or its copy in the child.
unsafe fn release() {
    // SAFETY: the caller's promise.
    unsafe { BUFFERS.let_go() };
}

fn buffers() -> Guard<'static, Buffers> {
    SECTION.join();
    BUFFERS.lock()
}

/// The references that are in flight on the object whose allocation is at `address`.
pub fn count_of(address: u64) -> usize {
    buffers().references.values().filter(|reference| reference.address() == address).count()
}

/// The references that are in flight now, in all buffers.
pub fn count() -> usize {
    buffers().references.len()
}

/// A buffer's references. Dropping it gives up each reference that was not lifted.
#[derive(Debug)]
pub struct Buffer(u64);

impl Default for Buffer {
    fn default() -> Self {
        Self::new()
    }
}

impl Buffer {
    /// A buffer without references.
    pub fn new() -> Self {
        let mut buffers = self::buffers();
        let number = buffers.next();
        buffers.open.insert(number);
        Self(number)
    }

    /// Takes over the buffer of this number. If that buffer has ended, there is nothing in it.
    pub fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// Gives the buffer away: the receiver of the number ends it.
    pub fn into_number(self) -> u64 {
        ManuallyDrop::new(self).0
    }

    /// Moves a reference into the buffer; returns the number that the bytes carry.
    pub fn lower(&self, reference: Reference) -> Result<u64> {
        let mut buffers = self::buffers();
        if !buffers.open.contains(&self.0) {
            drop(buffers); // before the reference, whose end may run the object's code
            return Err(Error::new(Status::BadArgument, format!("no such buffer: {}", self.0)));
        }
        let number = buffers.next();
        buffers.references.insert((self.0, number), reference);
        Ok(number)
    }

    /// Moves a reference out of the buffer. Each is lifted once.
    pub fn lift(&self, number: u64) -> Result<Reference> {
        let mut buffers = self::buffers();
        let (found, last) = (buffers.references.remove(&(self.0, number)), buffers.last);
        drop(buffers);
        found.ok_or_else(|| {
            let error = refusal(number, last);
            events::misuse(runtime(), error.status, 0);
            error
        })
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut buffers = self::buffers();
        buffers.open.remove(&self.0);
        let left: Vec<_> = buffers
            .references
            .range((self.0, 0)..=(self.0, u64::MAX))
            .map(|(&key, _)| key)
            .collect();
        let left: Vec<_> =
            left.into_iter().filter_map(|key| buffers.references.remove(&key)).collect();
        drop(buffers);
        // now, without the lock: the last reference runs the object's destructor
        drop(left);
    }
}

fn refusal(number: u64, last: u64) -> Error {
    match number {
        0 => Error::new(Status::ZeroHandle, "0 is no reference in flight"),
        number if number > last => {
            Error::new(Status::UnknownHandle, format!("never was a reference in flight: {number}"))
        }
        number => Error::new(
            Status::StaleHandle,
            format!("not in flight in this buffer, or lifted already: {number}"),
        ),
    }
}

/// A strong reference on an object of any type that counts in an `Arc`. Dropping it counts the
/// object down.
pub struct Reference {
    spec: &'static TypeSpec,
    /// Data pointer, as `Arc::into_raw` gave it.
    data: u64,
}

impl Reference {
    /// Counts the object of a live handle up.
    pub fn of_handle(handle: u64) -> Result<Self> {
        with_raw(handle, |spec, _, data| {
            if spec.kind == Kind::Thin {
                return Err(Error::new(
                    Status::BadArgument,
                    format!("a {} counts in its row, so no buffer can hold it", spec.name),
                ));
            }
            // SAFETY: the pin of `with_raw` keeps the reference through the call.
            unsafe { (spec.operations.clone)(data) };
            let reference = Self { spec, data };
            reference.hook(EventKind::Clone, 0);
            Ok(reference)
        })
    }

    /// Gives the reference to a handle. If there is no room for its row, the reference is given up.
    pub fn into_handle(self) -> Result<u64> {
        let runtime = runtime();
        let type_id = index_of(runtime, self.spec)?;
        let index = rows::take(runtime)?;
        // for the balance: from here on the handle accounts for it
        self.hook(EventKind::Release, 0);
        let (strong, reference) = (self.strong(), ManuallyDrop::new(self));
        let (data, address) = (reference.data, reference.address());
        // SAFETY: the reference, which the row owns from now on, keeps the object at least until
        // its handle is handed out.
        let life = unsafe { &*(reference.spec.operations.life)(data) };
        let row = NewRow {
            type_id,
            address,
            data,
            owner: life.owner(),
            is_foreign: false,
            is_born_now: true,
        };
        let handle = checked::publish(runtime, index, &row, life);
        events::event(
            runtime,
            EventKind::Create,
            type_id,
            handle,
            address,
            u32::try_from(strong).unwrap_or(u32::MAX),
        );
        Ok(handle)
    }

    /// The reference as a reference to the type `T`; given up if the object is of another type.
    pub fn into_traced<T: Object>(self) -> Result<Traced<T>> {
        if std::ptr::eq(self.spec, T::spec()) {
            // SAFETY: the specification is that of T alone, so the data pointer came from
            // `Arc::<T>::into_raw`; the reference moves.
            return Ok(unsafe { Traced::from_data(ManuallyDrop::new(self).data) });
        }
        events::misuse(runtime(), Status::WrongType, 0);
        Err(Error::new(
            Status::WrongType,
            format!("the reference in flight is of a {}, not a {}", self.spec.name, T::spec().name),
        ))
    }

    fn address(&self) -> u64 {
        self.data - self.spec.data_offset
    }

    fn strong(&self) -> u64 {
        // SAFETY: the reference is ours, so the object lives.
        unsafe { (self.spec.operations.counts)(self.data) }.0
    }

    /// Records that the count changed; `change` is the amount that the event is about to subtract.
    fn hook(&self, kind: EventKind, change: u64) {
        if levels::hottest() >= Level::History as u8 {
            let runtime = runtime();
            let type_id = index_of(runtime, self.spec).unwrap_or(0);
            events::raw_count(kind, type_id, self.address(), (self.strong() - change) as usize);
        }
    }
}

impl<T: Object> From<Traced<T>> for Reference {
    /// Moves the reference: the count stays.
    fn from(object: Traced<T>) -> Self {
        Self { spec: T::spec(), data: object.into_data() }
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        self.hook(EventKind::Release, 1);
        // SAFETY: the reference is ours, and is given up once.
        unsafe { (self.spec.operations.release)(self.data) };
    }
}
