//! A handle map with a mutex per object: access to one object is strictly serialised, so a call
//! gets `&mut` and the object need not be `Sync`.
//!
//! A panic inside a call may leave the object half changed. It poisons that object alone: every
//! later call on it is refused by name, while it can still be released.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use super::checked::{self, Entry, InUse};
use super::closing::{self, CloseAlone, Closing};
use crate::lifecycle;
use crate::object::Life;
use crate::object::{CloseSpec, TypeSpec};
use segment::layout::{Kind, ResourceState};
use segment::registry::shown;
use segment::status::{Error, Result, Status};

thread_local! {
    /// Its address distinguishes the threads that live now.
    static HERE: Cell<u8> = const { Cell::new(0) };
}

/// A map; a `static` that is identified by its address and name.
pub struct MutexMap<T> {
    spec: TypeSpec,
    objects: PhantomData<fn(T) -> T>,
}

/// An object in its mutex.
struct Serial<T> {
    object: Mutex<T>,
    /// The thread that is inside, 0: none. A thread only ever asks for its own number, which it
    /// alone stores: Relaxed.
    inside: AtomicUsize,
}

/// An object of a map, held natively. Handed out again it is the same object.
pub struct Held<T>(Arc<Entry<Serial<T>>>);

impl<T> Clone for Held<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Held<T> {
    /// Strong references, this one among them.
    pub fn strong_count(&self) -> usize {
        Arc::strong_count(&self.0)
    }

    /// Whether both are one object.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Calls `body` with the object to itself. Refused when its resource is closed, or a call
    /// panicked inside.
    pub fn with<R>(&self, body: impl FnOnce(&mut T) -> R) -> Result<R> {
        let name = "an object of a mutex map";
        let mut inside = lock(&self.0, name)?;
        // `Closing` is shown before the close method waits for this lock, so from then on no thread
        // finds the object open
        if matches!(self.0.life.state(), ResourceState::Closing | ResourceState::Closed) {
            return Err(Error::new(Status::Closed, format!("the resource is closed: {name}")));
        }
        Ok(body(&mut inside.object))
    }
}

/// A lock that is held, by the thread that is inside.
struct Inside<'a, T> {
    object: MutexGuard<'a, T>,
    inside: &'a AtomicUsize,
    life: &'a Life,
    /// The thread was panicking before it came in: then its panic is not this object's.
    was_panicking: bool,
}

impl<T> Drop for Inside<'_, T> {
    fn drop(&mut self) {
        self.inside.store(0, Ordering::Relaxed);
        if !self.was_panicking && thread::panicking() {
            lifecycle::poison(self.life);
        }
    }
}

/// Waits for an object; refused when this thread has it already, and when a call panicked in it.
#[inline(always)] // the result's way through memory would cost more than the lock
fn lock<'a, T>(
    entry: &'a Entry<Serial<T>>,
    name: &str,
) -> std::result::Result<Inside<'a, T>, Box<Error>> {
    let serial = &entry.value;
    let here = HERE.with(|here| std::ptr::from_ref(here) as usize);
    if serial.inside.load(Ordering::Relaxed) == here {
        return Err(inside_already(name));
    }
    let Ok(object) = serial.object.lock() else {
        return Err(half_changed(name));
    };
    serial.inside.store(here, Ordering::Relaxed);
    Ok(Inside {
        object,
        inside: &serial.inside,
        life: &entry.life,
        was_panicking: thread::panicking(),
    })
}

#[cold]
#[inline(never)]
fn inside_already(name: &str) -> Box<Error> {
    Box::new(Error::new(
        Status::WrongThread,
        format!("this thread is inside the object already, in a call further out: {name}"),
    ))
}

#[cold]
#[inline(never)]
fn half_changed(name: &str) -> Box<Error> {
    Box::new(Error::new(
        Status::Poisoned,
        format!("a call panicked inside the object, which may be half changed: {name}"),
    ))
}

/// The objects of one call, each locked once, however many handles name it.
pub struct Locked<'a, T, const N: usize> {
    inside: Vec<Inside<'a, T>>,
    /// Which of `inside` the handle at this position names.
    at: [usize; N],
}

impl<T, const N: usize> Locked<'_, T, N> {
    /// The object of the handle at `position`.
    pub fn get(&mut self, position: usize) -> &mut T {
        &mut self.inside[self.at[position]].object
    }

    /// The objects of two handles; None when both handles name one object.
    pub fn two(&mut self, first: usize, second: usize) -> Option<(&mut T, &mut T)> {
        let (first, second) = (self.at[first], self.at[second]);
        if first == second {
            return None;
        }
        let (low, high) = self.inside.split_at_mut(first.max(second));
        let (low, high) = (&mut *low[first.min(second)].object, &mut *high[0].object);
        Some(if first < second { (low, high) } else { (high, low) })
    }
}

impl<T: Send + 'static> MutexMap<T> {
    /// An empty map under a name that no other map of this origin has.
    pub const fn new(name: &'static str, origin: &'static str) -> Self {
        Self {
            spec: Entry::<Serial<T>>::spec(name, origin, Kind::MutexMap, None),
            objects: PhantomData,
        }
    }

    /// As [`Self::new`], for objects that close.
    pub const fn closable(name: &'static str, origin: &'static str, close: CloseSpec) -> Self
    where
        T: CloseAlone,
    {
        let closing = Closing { spec: close, close: close_raw::<T> };
        Self {
            spec: Entry::<Serial<T>>::spec(name, origin, Kind::MutexMap, Some(closing)),
            objects: PhantomData,
        }
    }

    /// Closes an object by a method of its own, with the caller's arguments: at once, or when the
    /// last call in flight has ended (`Pending`). The method has the object to itself, so it waits
    /// for native code that is inside.
    pub fn close(
        &'static self,
        handle: u64,
        run: impl FnOnce(&mut T) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        // SAFETY: a run gets the data pointer of a living object of the handle's type, which is
        // this map.
        closing::request(
            &self.spec,
            handle,
            Box::new(move |data| close_inside(unsafe { &*(data as *const Entry<Serial<T>>) }, run)),
        )
    }

    /// Takes an object in; the handle owns its first reference.
    pub fn insert(&'static self, object: T) -> Result<u64> {
        self.lower(self.hold(object))
    }

    /// An object of this map that only native code holds so far.
    pub fn hold(&'static self, object: T) -> Held<T> {
        Held(Arc::new(Entry::new(
            &self.spec,
            Serial { object: Mutex::new(object), inside: AtomicUsize::new(0) },
        )))
    }

    /// Gives a reference to a new handle.
    pub fn lower(&'static self, object: Held<T>) -> Result<u64> {
        checked::lower(&self.spec, object.0)
    }

    /// The object, counted up: it outlives the call and the handle.
    pub fn get(&'static self, handle: u64) -> Result<Held<T>> {
        let used = checked::enter(&self.spec, handle)?;
        let entry = std::ptr::from_ref(self.entry(&used));
        // SAFETY: the entry lies in the `Arc` whose reference the row keeps while it is in use;
        // this counts one up and takes that.
        Ok(Held(unsafe {
            Arc::increment_strong_count(entry);
            Arc::from_raw(entry)
        }))
    }

    /// Calls `body` with the object to itself; waits for calls that are inside. A panic in `body`
    /// unwinds further and poisons the object.
    #[inline]
    pub fn with<R>(&'static self, handle: u64, body: impl FnOnce(&mut T) -> R) -> Result<R> {
        let used = checked::enter(&self.spec, handle)?;
        let mut inside = self.lock(&used)?;
        let result = body(&mut inside.object);
        drop(inside);
        used.end();
        Ok(result)
    }

    /// Calls `body` with the objects of several handles, which may be the same. Each object is
    /// locked once, in the order of their addresses, so that two such calls never wait for each
    /// other in a ring.
    pub fn with_all<R, const N: usize>(
        &'static self,
        handles: [u64; N],
        body: impl FnOnce(Locked<'_, T, N>) -> R,
    ) -> Result<R> {
        let mut used = Vec::with_capacity(N);
        for handle in handles {
            used.push(checked::enter(&self.spec, handle)?);
        }
        let mut addresses: Vec<u64> = used.iter().map(|used| used.slot.data()).collect();
        let at_address = addresses.clone();
        addresses.sort_unstable();
        addresses.dedup();
        let at = std::array::from_fn(|position| {
            addresses.partition_point(|&address| address < at_address[position])
        });
        let mut inside = Vec::with_capacity(addresses.len());
        for address in addresses {
            let position = at_address.iter().position(|&other| other == address).unwrap_or(0);
            inside.push(self.lock(&used[position])?);
        }
        Ok(body(Locked { inside, at }))
    }

    #[inline(always)]
    fn lock<'a>(&'static self, used: &'a InUse) -> std::result::Result<Inside<'a, T>, Box<Error>> {
        lock(self.entry(used), self.spec.name).map_err(|error| named(*error, used.pin.handle()))
    }

    #[inline(always)]
    fn entry<'a>(&'static self, used: &'a InUse) -> &'a Entry<Serial<T>> {
        // SAFETY: only this map enters with its own specification.
        unsafe { checked::entry(used) }
    }
}

fn close_inside<T>(entry: &Entry<Serial<T>>, run: impl FnOnce(&mut T) -> Result<()>) -> Result<()> {
    run(&mut lock(entry, "its close method was not called")?.object)
}

/// # Safety
/// `data` came from `Arc::<Entry<Serial<T>>>::into_raw`, and that reference lives through the call.
unsafe fn close_raw<T: CloseAlone + Send + 'static>(data: u64) -> Result<()> {
    // SAFETY: the caller's promise.
    close_inside(unsafe { &*(data as *const Entry<Serial<T>>) }, T::close_with_defaults)
}

/// The error with the handle's number beside the type's name.
#[cold]
#[inline(never)]
fn named(error: Error, handle: u64) -> Box<Error> {
    Box::new(Error::new(error.status, format!("{} {}", error.message, shown(handle))))
}
