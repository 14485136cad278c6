//! The agent in a Java virtual machine: objects that UniFFI's Kotlin bindings hold.
//!
//! The virtual machine loads it at a viewer's wish. One thread of its own looks for proxies in the
//! heap, reads what they say of themselves, and answers viewers. No method of the program is
//! changed, so nothing is left in it when the agent goes.

mod bindings;
mod callers;
mod calls;
mod cleaner;
mod jobs;
mod machine;
mod options;
mod proxies;
mod reading;
mod threads;
mod worker;

use std::sync::atomic::{AtomicBool, Ordering};

use jvmti_bindings::sys::jni::JavaVM;
use platform::threads as system_threads;
use segment::status::{Error, Result};

use machine::Machine;
use options::Options;
use worker::Worker;

/// The virtual machine needs room for its guard pages on each thread that it knows.
const STACK_BYTES: usize = 1 << 20;

static IS_HERE: AtomicBool = AtomicBool::new(false);

/// A virtual machine that is known to live until its agents have ended.
struct Owner(*mut JavaVM);

// SAFETY: the invocation interface may be used by any thread.
unsafe impl Send for Owner {}

/// Starts the agent with options such as `level=1;directory=/dev/shm/x`. Does nothing while it runs.
///
/// # Errors
/// One line: options that nobody knows, a virtual machine that refuses, no segment.
///
/// # Safety
/// `vm` is the virtual machine that this library was loaded into.
pub unsafe fn start(vm: *mut JavaVM, options: &str) -> Result<()> {
    let options = Options::read(options)?;
    if IS_HERE.swap(true, Ordering::AcqRel) {
        return Ok(());
    }
    // SAFETY: the caller's promise.
    let started = unsafe { begin(vm, &options) };
    started.inspect_err(|_| IS_HERE.store(false, Ordering::Release))
}

/// # Safety
/// As [`start`].
unsafe fn begin(vm: *mut JavaVM, options: &Options<'_>) -> Result<()> {
    // SAFETY: the caller's promise.
    let machine = unsafe { Machine::open(vm) }?;
    let runtime = machine.name();
    agent::start(&options.of_agent(&runtime))?;
    let owner = Owner(vm);
    let spawned = system_threads::spawn("ai-java", STACK_BYTES, move || serve(owner, machine));
    spawned.map(drop).map_err(|error| {
        agent::stop();
        Error::io("the agent's thread", &error)
    })
}

/// The thread, from its first step to its last.
fn serve(owner: Owner, machine: Machine) {
    let Owner(vm) = owner;
    // SAFETY: the virtual machine waits for no daemon, and this thread leaves it before it ends.
    let served = unsafe { machine::as_daemon(vm, |env| Worker::new(machine, env).run()) };
    let is_asked_to_leave = served.unwrap_or(true);
    if is_asked_to_leave {
        agent::stop();
    }
    IS_HERE.store(false, Ordering::Release);
}
