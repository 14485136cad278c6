//! Classes of the interpreter that belong to an extension: their attributes cannot be set, or their
//! instances cannot be referred to weakly.
//!
//! Such a class is followed through two of its type slots: `tp_init`, after which Python hears of
//! the proxy, and `tp_dealloc`, before which its row ends. Each hooked type has a pair of
//! trampolines of its own, because a destructor may call that of its base, which may be hooked as
//! well. A type that inherited a trampoline keeps it after the hook is removed; so the pair passes
//! calls on for ever.
//!
//! All of this runs with the interpreter's lock. Fields read from a type are checked against
//! Python's own description of it before anything is set.

mod slots;

use std::sync::atomic::{AtomicUsize, Ordering};

use segment::status::{Error, Result, Status};
use slots::{Pair, PAIRS};

/// Bytes from a type's start to its fields, in every CPython from 3.8 to 3.14 with the lock.
mod offset {
    pub const BASIC_SIZE: usize = 32;
    pub const DEALLOC: usize = 48;
    pub const FLAGS: usize = 168;
    pub const BASE: usize = 256;
    pub const DICT_OFFSET: usize = 288;
    pub const INIT: usize = 296;
}

/// Immutable, heap, base type, collected, and the kinds of built-in subclasses; the remaining flags
/// change while a type is used.
const LASTING_FLAGS: u64 = 0xFF00_4700;

/// Python's description of a type.
#[derive(Clone, Copy, Debug)]
pub struct Described {
    /// `__basicsize__`.
    pub basic_size: u64,
    /// `__flags__`.
    pub flags: u64,
    /// `id(__base__)`.
    pub base: u64,
    /// `__dictoffset__`.
    pub dict_offset: u64,
    /// `__init__` is that of `object`, and `__new__` is not.
    pub has_plain_init: bool,
    /// Address of any class that Python code made. Its destructor looks for the next destructor
    /// that differs from itself, so it cannot be replaced.
    pub of_python: u64,
}

/// Hooks a type; its destructor only where that is the type's own, see [`sees_ends`]. `born` is 0,
/// or a Python callable that is given each instance when its `tp_init` has succeeded.
///
/// # Errors
/// `Unavailable` when the type is not laid out as expected, or too many are hooked.
///
/// # Safety
/// `class` is a type object that lives until [`unwatch`], `born` a callable that does so too; the
/// interpreter's lock is held.
pub unsafe fn watch(class: usize, described: &Described, born: usize) -> Result<()> {
    let expected = [
        (offset::BASIC_SIZE, described.basic_size, u64::MAX),
        (offset::FLAGS, described.flags, LASTING_FLAGS),
        (offset::BASE, described.base, u64::MAX),
        (offset::DICT_OFFSET, described.dict_offset, u64::MAX),
    ];
    // SAFETY: a type object is longer than all of these, the caller's promise.
    let found = |at| unsafe { word(class, at) }.load(Ordering::Relaxed) as u64;
    let is_known = expected.iter().all(|&(at, value, bits)| (found(at) ^ value) & bits == 0);
    if !is_known {
        return Err(Error::new(
            Status::Unavailable,
            "this interpreter lays its types out in an unknown way",
        ));
    }
    let pair = pair_for(class).ok_or_else(|| {
        Error::new(Status::TableFull, format!("{} types are hooked already", PAIRS.len()))
    })?;
    // SAFETY: as above; the slots of a type are words that the interpreter reads whole.
    unsafe {
        if born != 0 && slots::call_one_arg().is_none() {
            return Err(Error::new(
                Status::Unavailable,
                "this process does not export the interpreter's functions",
            ));
        }
        if word(class, offset::DEALLOC).load(Ordering::Relaxed)
            != word(described.of_python as usize, offset::DEALLOC).load(Ordering::Relaxed)
        {
            replace(
                word(class, offset::DEALLOC),
                &pair.dealloc,
                pair.dealloc_hook as *const () as usize,
            );
        }
        pair.watchers.fetch_add(1, Ordering::Relaxed); // the interpreter's lock orders it
        pair.is_plain.store(described.has_plain_init, Ordering::Release);
        pair.born.store(born, Ordering::Release);
        if born != 0 {
            replace(word(class, offset::INIT), &pair.init, pair.init_hook as *const () as usize);
        }
    }
    Ok(())
}

/// Whether the ends of a hooked type's instances are seen.
///
/// # Safety
/// As for [`watch`].
pub unsafe fn sees_ends(class: usize) -> bool {
    let pair = PAIRS.iter().find(|pair| pair.class.load(Ordering::Acquire) == class);
    // SAFETY: the caller's promise.
    let present = unsafe { word(class, offset::DEALLOC) }.load(Ordering::Relaxed);
    pair.is_some_and(|pair| present == pair.dealloc_hook as *const () as usize)
}

/// Puts a type's slots back, unless another library has changed them meanwhile; its destructor only
/// if no other declaration hooks the type, since that relies on hearing of each end. Does nothing
/// for a type without hooks.
///
/// # Safety
/// As for [`watch`].
pub unsafe fn unwatch(class: usize) {
    let Some(pair) = PAIRS.iter().find(|pair| pair.class.load(Ordering::Acquire) == class) else {
        return;
    };
    pair.born.store(0, Ordering::Release);
    let watchers = pair.watchers.load(Ordering::Relaxed);
    // the interpreter's lock orders both
    pair.watchers.store(watchers.saturating_sub(1), Ordering::Relaxed);
    // SAFETY: the caller's
    // promise.
    unsafe {
        if watchers <= 1 {
            restore(
                word(class, offset::DEALLOC),
                &pair.dealloc,
                pair.dealloc_hook as *const () as usize,
            );
        }
        restore(word(class, offset::INIT), &pair.init, pair.init_hook as *const () as usize);
    }
}

/// The pair that belongs to a type already, or the next free pair. It is never given to another
/// type.
fn pair_for(class: usize) -> Option<&'static Pair> {
    let is_free = |pair: &&Pair| {
        pair.class.compare_exchange(0, class, Ordering::AcqRel, Ordering::Acquire).is_ok()
    };
    PAIRS
        .iter()
        .find(|pair| pair.class.load(Ordering::Acquire) == class)
        .or_else(|| PAIRS.iter().find(is_free))
}

fn replace(slot: &AtomicUsize, original: &AtomicUsize, hook: usize) {
    let present = slot.load(Ordering::Relaxed);
    if present != hook && present != 0 {
        // Set before the slot: a thread that finds the hook there also finds the original function.
        // The interpreter's lock orders both.
        original.store(present, Ordering::Release);
        slot.store(hook, Ordering::Release);
    }
}

fn restore(slot: &AtomicUsize, original: &AtomicUsize, hook: usize) {
    let _ = slot.compare_exchange(
        hook,
        original.load(Ordering::Acquire),
        Ordering::AcqRel,
        Ordering::Relaxed,
    );
}

/// # Safety
/// `class + at` is the address of a word that lives for the time of use.
unsafe fn word(class: usize, at: usize) -> &'static AtomicUsize {
    // SAFETY: the caller's promise; the interpreter reads and writes these words whole.
    unsafe { &*((class + at) as *const AtomicUsize) }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    static DIED: AtomicU64 = AtomicU64::new(0);

    unsafe extern "C" fn dealloc(object: usize) {
        DIED.store(object as u64, Ordering::SeqCst);
    }

    static OF_PYTHON: [usize; 64] = [1; 64];

    fn class() -> (Vec<usize>, Described) {
        let mut words = vec![0_usize; 64];
        words[offset::BASIC_SIZE / 8] = 16;
        words[offset::FLAGS / 8] = 512;
        words[offset::BASE / 8] = 77;
        words[offset::DEALLOC / 8] = dealloc as *const () as usize;
        (
            words,
            Described {
                basic_size: 16,
                flags: 512,
                base: 77,
                dict_offset: 0,
                has_plain_init: false,
                of_python: OF_PYTHON.as_ptr() as u64,
            },
        )
    }

    #[test]
    fn a_type_that_is_laid_out_otherwise_is_left_alone() {
        let (words, described) = class();
        let before = words.clone();
        // SAFETY: the words are a type for this purpose.
        let refused =
            unsafe { watch(words.as_ptr() as usize, &Described { flags: 256, ..described }, 0) };
        assert!(refused.is_err_and(|error| error.status == Status::Unavailable));
        assert_eq!(words, before);
    }

    #[test]
    fn a_hooked_destructor_passes_on_and_is_put_back_and_what_inherited_it_still_works() {
        let (words, described) = class();
        let before = words.clone();
        let at = words.as_ptr() as usize;
        // SAFETY: the words are a type for this purpose, and the hook a destructor.
        unsafe {
            watch(at, &described, 0).expect("room");
            watch(at, &described, 0).expect("the same");
            assert!(sees_ends(at));
            let hook: unsafe extern "C" fn(usize) =
                std::mem::transmute(word(at, offset::DEALLOC).load(Ordering::SeqCst));
            hook(5);
            assert_eq!(DIED.load(Ordering::SeqCst), 5);
            unwatch(at);
            assert!(sees_ends(at), "the other one still relies on it");
            unwatch(at);
            hook(6);
        }
        assert_eq!(DIED.load(Ordering::SeqCst), 6);
        assert_eq!(words, before);
    }

    #[test]
    fn the_destructor_of_a_class_that_python_code_made_is_left_alone() {
        let (mut words, described) = class();
        words[offset::DEALLOC / 8] = 1;
        let before = words.clone();
        // SAFETY: the words are a type for this purpose.
        unsafe {
            watch(words.as_ptr() as usize, &described, 0).expect("room");
            assert!(!sees_ends(words.as_ptr() as usize));
        }
        assert_eq!(words, before);
    }
}
