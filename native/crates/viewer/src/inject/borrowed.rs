//! The injection itself: a thread of the target is stopped, sent through the stub, and released.

use std::time::Instant;

use super::region::{refused, Region};
use super::request::{Injected, Injection};
use super::{stub, TEXT_BYTES};
use platform::tracing::{harmless, Code, Point, Registers, Tracee};
use segment::status::{Error, Result, Status};

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
