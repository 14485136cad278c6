//! The trampolines in type slots: a pair for each type, so that each trampoline knows its type's
//! own functions.

use std::cell::Cell;
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::{instances, under_way};
use platform::function;

type Dealloc = unsafe extern "C" fn(usize);
type Init = unsafe extern "C" fn(usize, usize, usize) -> i32;
type CallOneArg = unsafe extern "C" fn(usize, usize) -> usize;
type OfObject = unsafe extern "C" fn(usize);
type OfNothing = unsafe extern "C" fn();

thread_local! {
    /// The callable makes objects itself; these are not reported.
    static IS_TELLING: Cell<bool> = const { Cell::new(false) };
}

/// The hooks of one type.
pub struct Pair {
    /// Address of the type, 0: free.
    pub class: AtomicUsize,
    /// How often it is hooked: by declarations that name one class in several ways.
    pub watchers: AtomicUsize,
    /// Its own destructor.
    pub dealloc: AtomicUsize,
    /// Its own initialiser.
    pub init: AtomicUsize,
    /// Its initialiser is `object`'s, which takes no arguments and, once hooked, refuses the
    /// arguments of `tp_new`.
    pub is_plain: AtomicBool,
    /// The callable that is called for each birth; 0: none.
    pub born: AtomicUsize,
    /// Replacement of the destructor.
    pub dealloc_hook: unsafe extern "C" fn(usize),
    /// Replacement of the initialiser.
    pub init_hook: unsafe extern "C" fn(usize, usize, usize) -> i32,
}

macro_rules! pairs {
    ($count:literal: $($number:literal)*) => {
        /// All there are.
        pub static PAIRS: [Pair; $count] = [$(Pair {
            class: AtomicUsize::new(0),
            watchers: AtomicUsize::new(0),
            dealloc: AtomicUsize::new(0),
            init: AtomicUsize::new(0),
            is_plain: AtomicBool::new(false),
            born: AtomicUsize::new(0),
            dealloc_hook: dealloc::<$number>,
            init_hook: init::<$number>,
        }),*];
    };
}

pairs!(64: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43
    44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63);

/// Replaces `tp_dealloc`: ends the row of a listed object, then calls the type's own destructor,
/// unless the object lives on.
///
/// # Safety
/// The interpreter calls it, with an object of the pair's type or of one derived from it.
unsafe extern "C" fn dealloc<const NUMBER: usize>(object: usize) {
    // SAFETY: the interpreter's lock is held.
    let lives_on = catch_unwind(|| unsafe { instances::ends(object) });
    if lives_on.is_ok_and(|lives_on| lives_on) {
        return; // a panic of ours must not keep the object from being freed
    }
    let original = PAIRS[NUMBER].dealloc.load(Ordering::Acquire);
    // SAFETY: stored before this function was set in any slot; a destructor's signature.
    unsafe { std::mem::transmute::<usize, Dealloc>(original)(object) }
}

/// Replaces `tp_init`: calls the type's own initialiser, and when that succeeded, reports the
/// birth.
///
/// # Safety
/// As for [`dealloc`].
unsafe extern "C" fn init<const NUMBER: usize>(
    object: usize,
    arguments: usize,
    keywords: usize,
) -> i32 {
    let original = PAIRS[NUMBER].init.load(Ordering::Acquire);
    // SAFETY: the interpreter's lock is held.
    unsafe { under_way::begin(object) };
    let answer = if PAIRS[NUMBER].is_plain.load(Ordering::Acquire) {
        0
    } else {
        // SAFETY: stored before this function was set in any slot; an initialiser's signature.
        unsafe { std::mem::transmute::<usize, Init>(original)(object, arguments, keywords) }
    };
    let born = PAIRS[NUMBER].born.load(Ordering::Acquire);
    if answer == 0 && born != 0 && !IS_TELLING.replace(true) {
        // SAFETY: the callable lives as long as it is set; no exception is pending after a success.
        unsafe { tell(born, object) };
        IS_TELLING.set(false);
    }
    // SAFETY: the interpreter's lock is held.
    unsafe { under_way::end(object) };
    answer
}

/// # Safety
/// `callable` and `object` live, the interpreter's lock is held and no exception is pending.
unsafe fn tell(callable: usize, object: usize) {
    let Some(call) = call_one_arg() else { return };
    // SAFETY: the caller's promise; both functions are the interpreter's own.
    unsafe {
        let result = call(callable, object);
        if result == 0 {
            if let Some(clear) = function(&CLEAR, c"PyErr_Clear") {
                std::mem::transmute::<usize, OfNothing>(clear)();
            }
        } else if let Some(release) = function(&RELEASE, c"Py_DecRef") {
            std::mem::transmute::<usize, OfObject>(release)(result);
        }
    }
}

/// Addresses of the interpreter's functions; 0: not looked up yet.
static CALL: AtomicUsize = AtomicUsize::new(0);
static CLEAR: AtomicUsize = AtomicUsize::new(0);
static RELEASE: AtomicUsize = AtomicUsize::new(0);

/// `PyObject_CallOneArg` of this process's interpreter, if any.
pub fn call_one_arg() -> Option<unsafe extern "C" fn(usize, usize) -> usize> {
    // SAFETY: its signature.
    function(&CALL, c"PyObject_CallOneArg")
        .map(|address| unsafe { std::mem::transmute::<usize, CallOneArg>(address) })
}
