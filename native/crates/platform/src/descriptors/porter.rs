//! A thread with a descriptor table of its own, which makes system calls for other threads.
//!
//! The thread runs nothing but the loop below: no code of the program, no allocation, no
//! destructor. So the program can close none of our descriptors, and no allocator or profiler of
//! the program runs in a thread without the program's descriptors.

use std::cell::Cell;
use std::io;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicI32, AtomicIsize, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use super::tables::{raw_call, Call};
use super::{forks, lost};
use crate::clocks::cpu_nanos_of;
use crate::threads::{self, thread_id};
use crate::{futex, sockets};

/// Bits of `Desk::word`.
const ASKED: u32 = 1;
const DONE: u32 = 2;
const RUNG: u32 = 4;
const STOP: u32 = 8;
const IS_READY: u32 = 16;
const IS_REFUSED: u32 = 32;

/// How long the start may take; a seccomp filter may have ended the thread without a word.
const START_PATIENCE: Duration = Duration::from_secs(5);

/// The place where a call is left and its result is fetched.
#[derive(Default)]
struct Desk {
    /// The futex that both sides wait on.
    word: AtomicU32,
    number: AtomicIsize,
    arguments: [AtomicUsize; 6],
    /// The call's result; a negative error number when it failed.
    result: AtomicIsize,
    /// Gets a byte when `RUNG` is seen; -1: none.
    bell: AtomicI32,
    tid: AtomicU32,
}

/// The thread, from outside. One caller at a time; the next callers wait.
pub struct Porter {
    desk: Arc<Desk>,
    turn: Mutex<()>,
    thread: Cell<Option<JoinHandle<()>>>,
    /// `forks()` when it was started: in a child of a fork there is no such thread.
    forks: u32,
}

// SAFETY: `thread` is used by `drop` alone, which has the porter to itself.
unsafe impl Sync for Porter {}

impl Porter {
    /// Starts a thread and runs `enter` on it first, which gives it a descriptor table.
    ///
    /// # Errors
    /// The system's, when it gives no thread; `Unsupported` when `enter` answers false.
    pub fn start(name: &str, enter: impl FnOnce() -> bool + Send + 'static) -> io::Result<Self> {
        let desk = Arc::new(Desk { bell: AtomicI32::new(-1), ..Desk::default() });
        let served = Arc::clone(&desk);
        let thread = threads::spawn(name, threads::OWN_STACK_BYTES, move || served.serve(enter))?;
        let porter =
            Self { desk, turn: Mutex::new(()), thread: Cell::new(Some(thread)), forks: forks() };
        porter.wait_until_ready()?;
        Ok(porter)
    }

    fn wait_until_ready(&self) -> io::Result<()> {
        let until = std::time::Instant::now() + START_PATIENCE;
        loop {
            // Acquire pairs with the Release of `Desk::set`.
            let word = self.desk.word.load(Ordering::Acquire);
            if word & IS_READY != 0 {
                return Ok(());
            }
            let left = until.saturating_duration_since(std::time::Instant::now());
            if left.is_zero() {
                // the thread may have ended, and then no join is possible
                self.thread.take();
            }
            if word & IS_REFUSED != 0 || left.is_zero() {
                return Err(io::ErrorKind::Unsupported.into());
            }
            futex::wait(&self.desk.word, word, Some(left));
        }
    }

    /// Makes a call on the thread and returns its result. The memory that the arguments point to
    /// has to stay until then.
    ///
    /// # Errors
    /// The system's. In a forked child, which has no such thread, `EBADF`.
    ///
    /// # Safety
    /// The call with these arguments is sound on any thread of this process.
    pub unsafe fn call(&self, (number, arguments): Call) -> io::Result<usize> {
        if self.forks != forks() {
            return Err(lost());
        }
        let _turn = self.turn.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let desk = &*self.desk;
        // Relaxed: the Release of `set` publishes them.
        desk.number.store(number as isize, Ordering::Relaxed);
        for (place, argument) in desk.arguments.iter().zip(arguments) {
            place.store(argument, Ordering::Relaxed);
        }
        desk.set(ASKED);
        desk.wait_for(DONE);
        desk.clear(DONE);
        match desk.result.load(Ordering::Relaxed) {
            result if result < 0 => Err(io::Error::from_raw_os_error(-result as i32)),
            result => Ok(result as usize),
        }
    }

    /// Has the thread write a byte to the bell's descriptor, soon. Does not wait.
    pub fn ring(&self) {
        if self.forks == forks() {
            self.desk.set(RUNG);
        }
    }

    /// Names the descriptor, of the thread's table, that `ring` writes to.
    pub fn set_bell(&self, bell: RawFd) {
        // Relaxed: the Release of `set` in `ring` publishes it.
        self.desk.bell.store(bell, Ordering::Relaxed);
    }

    /// CPU time that the thread has used, nanoseconds.
    pub fn cpu_nanos(&self) -> u64 {
        cpu_nanos_of(self.desk.tid.load(Ordering::Relaxed))
    }
}

impl Drop for Porter {
    fn drop(&mut self) {
        let thread = self.thread.take();
        if self.forks != forks() {
            // the thread does not exist here: not to be joined
            std::mem::forget(thread);
            return;
        }
        self.desk.set(STOP);
        // a thread of nothing but system calls does not panic
        thread.map(JoinHandle::join);
    }
}

impl Desk {
    fn serve(&self, enter: impl FnOnce() -> bool) {
        self.tid.store(thread_id(), Ordering::Relaxed);
        if !enter() {
            return self.set(IS_REFUSED);
        }
        self.set(IS_READY);
        loop {
            // Acquire pairs with the Release of `set`: the call's number and arguments are seen.
            let word = self.word.load(Ordering::Acquire);
            match word {
                _ if word & STOP != 0 => return,
                _ if word & RUNG != 0 => {
                    self.clear(RUNG);
                    sockets::send_byte(self.bell.load(Ordering::Relaxed));
                }
                _ if word & ASKED != 0 => {
                    self.clear(ASKED);
                    self.make_call();
                    self.set(DONE);
                }
                _ => futex::wait(&self.word, word, None),
            }
        }
    }

    fn make_call(&self) {
        let number = self.number.load(Ordering::Relaxed) as libc::c_long;
        let [first, second, third, fourth, fifth, sixth] =
            std::array::from_fn(|at| self.arguments[at].load(Ordering::Relaxed));
        // SAFETY: the promise of the caller of `Porter::call`.
        let result = unsafe { raw_call((number, [first, second, third, fourth, fifth, sixth])) };
        self.result.store(result, Ordering::Relaxed);
    }

    /// Sets bits and wakes the other side.
    fn set(&self, bits: u32) {
        self.word.fetch_or(bits, Ordering::Release);
        futex::wake(&self.word);
    }

    fn clear(&self, bits: u32) {
        // Relaxed: nothing is published by taking a bit away.
        self.word.fetch_and(!bits, Ordering::Relaxed);
    }

    fn wait_for(&self, bit: u32) {
        loop {
            // Acquire pairs with the Release of `set`: the result is seen.
            let word = self.word.load(Ordering::Acquire);
            if word & bit != 0 {
                return;
            }
            futex::wait(&self.word, word, None);
        }
    }
}
