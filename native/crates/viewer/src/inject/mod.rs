//! Guarded injection: have one thread of another process start a thread that runs a line of Python.
//!
//! Runs in an injector process of its own, never in a viewer or a target. One thread of the target
//! is stopped, for a fraction of a millisecond, at a point that is known to be harmless; all other
//! threads run on. It is sent through a stub (`stub.rs`) that calls `pthread_create` and then
//! restores every register itself, so that the target runs on even if the injector dies. See ADR
//! 0010.

mod region;
mod stub;

use std::time::Instant;

use platform::tracing::{harmless, Code, Point, Refusal, Registers, Tracee};
use region::Region;
use segment::status::{Error, Result, Status};

pub use platform::tracing::{wait_of, Wait};
pub use segment::injected::{CODE_BYTES, REGION_BYTES, REGION_MAGIC, TEXT_BYTES};

/// Addresses from `low` up to, not including, `high`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Range {
    /// First.
    pub low: u64,
    /// Behind the last.
    pub high: u64,
}

impl Range {
    fn addresses(&self) -> std::ops::Range<u64> {
        self.low..self.high
    }
}

/// Addresses in the target of the functions that are called there, in the order in which the stub's
/// table has them.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Functions {
    /// `pthread_create`.
    pub create: u64,
    /// `pthread_self`.
    pub own: u64,
    /// `pthread_detach`.
    pub detach: u64,
    /// `Py_IsInitialized`.
    pub is_initialized: u64,
    /// `PyGILState_Ensure`.
    pub ensure: u64,
    /// `PyRun_SimpleString`.
    pub run: u64,
    /// `PyGILState_Release`.
    pub release: u64,
}

/// The place of an injection, and the functions called there. All addresses are the target's.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The process.
    pub pid: u32,
    /// The thread that is borrowed for a moment.
    pub tid: u32,
    /// Unused region of an earlier injection; 0: none.
    pub region: u64,
    /// A `syscall` instruction of the C library.
    pub syscall: u64,
    /// Code of the C library.
    pub libc: Range,
    /// Code of the interpreter.
    pub python: Range,
    /// Functions to call.
    pub functions: Functions,
}

/// The code to inject, and the place of the injection.
#[derive(Clone, Copy, Debug)]
pub struct Injection<'a> {
    /// The place of the injection.
    pub place: Place,
    /// A line of Python.
    pub code: &'a str,
}

/// The result of an injection.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Injected {
    /// Address of the stub and its stack in the target.
    pub region: u64,
    /// How long the borrowed thread was held.
    pub paused_nanos: u64,
    /// Waits of the target that the stop ended with `EINTR`, also when nothing was injected.
    pub interrupted: u32,
}

/// Try once. `Pending`: the thread is at no harmless point now; it runs on unchanged, unless
/// `injected` says that a wait was ended.
pub fn inject(request: &Injection, injected: &mut Injected) -> Result<()> {
    if !stub::is_supported() {
        return Err(Error::new(
            Status::Unavailable,
            "code can be injected on x86-64 processors with xsave only",
        ));
    }
    if request.code.len() >= TEXT_BYTES {
        return Err(Error::new(
            Status::BadArgument,
            format!("the line of Python is too long: {} bytes", request.code.len()),
        ));
    }
    let began = Instant::now();
    let mut tracee = Tracee::stop(request.place.pid, request.place.tid).map_err(refused)?;
    let found = tracee.registers().map_err(refused)?;
    let place = &request.place;
    let code = Code { c_library: place.libc.addresses(), python: place.python.addresses() };
    let point = match harmless(&tracee, &found, &code) {
        Ok(point) => point,
        Err(why) => {
            injected.interrupted = leave(&tracee, &found)?.into();
            return Err(Error::new(Status::Pending, why));
        }
    };
    injected.region = enter(&mut tracee, &found, &point, request)?;
    tracee.release().map_err(refused)?;
    injected.paused_nanos = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
    Ok(())
}

/// Resume a thread that was only read, and begin its system call again if the stop would make it
/// fail. True: it cannot be begun again, and the call fails. A call that a signal interrupts fails
/// because of the signal.
fn leave(tracee: &Tracee, found: &Registers) -> Result<bool> {
    if tracee.has_signal() {
        return Ok(false);
    }
    match found.undisturbed() {
        Some(changed) => tracee.set_registers(&changed).map(|()| false).map_err(refused),
        None => Ok(found.is_interrupted()),
    }
}

/// Send the thread into the stub. When anything fails it is left as it was found.
fn enter(
    tracee: &mut Tracee,
    found: &Registers,
    point: &Point,
    request: &Injection,
) -> Result<u64> {
    let mask = tracee.block_signals().map_err(refused)?;
    let entered = (|| {
        let region = Region::at(tracee, found, &request.place)?;
        region.fill(tracee, request, point, mask)?;
        let entering = found.continued_at(region.base, point.rax);
        tracee.set_registers(&entering).map_err(refused)?;
        Ok(region.base)
    })();
    if entered.is_err() {
        // both must be tried even if the first fails; the first failure is reported
        let _ = tracee.set_registers(&found.undisturbed().unwrap_or(*found));
        let _ = tracee.set_signals(mask);
    }
    entered
}

/// Makes the system call in which a thread waits fail with `EINTR`, as a signal would, so that its
/// interpreter reaches a safe point. True: it did.
pub fn nudge(pid: u32, tid: u32) -> Result<bool> {
    let tracee = Tracee::stop(pid, tid).map_err(refused)?;
    let found = tracee.registers().map_err(refused)?;
    let changed = found.nudged();
    match &changed {
        Some(registers) => tracee.set_registers(registers).map_err(refused)?,
        None => {
            leave(&tracee, &found)?;
        }
    }
    tracee.release().map_err(refused)?;
    Ok(changed.is_some())
}

fn refused(refusal: Refusal) -> Error {
    match refusal {
        Refusal::Pending(why) => Error::new(Status::Pending, why),
        Refusal::Stuck => Error::new(Status::Unavailable, refusal.to_string()),
        Refusal::System(doing, error) => Error::io(doing, &error),
    }
}
