//! A stopped thread of another process. Every wait is bounded; dropping it lets the thread run.
//!
//! All calls for one tracee come from the thread that stopped it: the kernel wants that.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::ptr;
use std::thread;
use std::time::{Duration, Instant};

use segment::status::{Error, Result, Status};

/// How long a thread may take to stop. A thread that does not stop is in the kernel, and is
/// released by the injector's end.
const PATIENCE: Duration = Duration::from_millis(200);
const TURN: Duration = Duration::from_micros(20);
/// Stops on the way into and out of one system call, and other stops that may come between.
const MOST_STOPS: usize = 16;
/// A system call stop, as `PTRACE_O_TRACESYSGOOD` marks it.
const CALL_STOP: i32 = libc::SIGTRAP | 0x80;
const EVENT_STOP: i32 = libc::PTRACE_EVENT_STOP;

/// A thread that is stopped by us.
pub struct Tracee {
    tid: libc::pid_t,
    memory: File,
    /// Its status in `/proc`.
    status: String,
    /// Signal to hand on at the release.
    signal: i32,
    is_stopped: bool,
}

impl Tracee {
    /// Stop thread `tid` of process `pid`. `Pending`: it is held by something else, such as a stop
    /// signal.
    pub fn stop(pid: u32, tid: u32) -> Result<Self> {
        let path = format!("/proc/{pid}/mem");
        let memory = File::options()
            .read(true)
            .write(true)
            .open(&path)
            .map_err(|error| Error::io(&path, &error))?;
        let mut tracee = Self {
            tid: tid as libc::pid_t,
            memory,
            status: format!("/proc/{pid}/task/{tid}/status"),
            signal: 0,
            is_stopped: false,
        };
        tracee.request(
            libc::PTRACE_SEIZE,
            ptr::null_mut(),
            libc::PTRACE_O_TRACESYSGOOD as usize,
            "tracing the thread",
        )?;
        tracee.request(libc::PTRACE_INTERRUPT, ptr::null_mut(), 0, "stopping the thread")?;
        let status = tracee.wait()?;
        if status >> 16 == EVENT_STOP && libc::WSTOPSIG(status) == libc::SIGTRAP {
            return Ok(tracee);
        }
        if status >> 16 == EVENT_STOP {
            return Err(Error::new(Status::Pending, "the process is stopped by a signal"));
        }
        tracee.signal = libc::WSTOPSIG(status);
        Err(Error::new(Status::Pending, "a signal was on its way to the thread"))
    }

    /// A signal that it does not block waits for it; also true when that is unknown.
    pub fn has_signal(&self) -> bool {
        std::fs::read_to_string(&self.status).map_or(true, |text| waiting_signals(&text) != Some(0))
    }

    /// Its registers.
    pub fn registers(&self) -> Result<libc::user_regs_struct> {
        // SAFETY: all fields are integers.
        let mut registers: libc::user_regs_struct = unsafe { std::mem::zeroed() };
        let place: *mut libc::user_regs_struct = &mut registers;
        self.request(libc::PTRACE_GETREGS, ptr::null_mut(), place as usize, "reading registers")?;
        Ok(registers)
    }

    /// Give it these registers.
    pub fn set_registers(&self, registers: &libc::user_regs_struct) -> Result<()> {
        let place: *const libc::user_regs_struct = registers;
        self.request(libc::PTRACE_SETREGS, ptr::null_mut(), place as usize, "setting registers")
    }

    /// Keep all signals from it; its mask as it was.
    pub fn block_signals(&self) -> Result<u64> {
        let mut mask = 0_u64;
        let place: *mut u64 = &mut mask;
        self.request(
            libc::PTRACE_GETSIGMASK,
            8 as *mut _,
            place as usize,
            "reading the signal mask",
        )?;
        self.set_signals(u64::MAX)?;
        Ok(mask)
    }

    /// Give it this signal mask.
    pub fn set_signals(&self, mask: u64) -> Result<()> {
        let place: *const u64 = &mask;
        self.request(
            libc::PTRACE_SETSIGMASK,
            8 as *mut _,
            place as usize,
            "setting the signal mask",
        )
    }

    /// Write to its memory, protected or not.
    pub fn write(&self, address: u64, bytes: &[u8]) -> Result<()> {
        self.memory
            .write_all_at(bytes, address)
            .map_err(|error| Error::io("writing to the target's memory", &error))
    }

    /// Eight bytes of its memory.
    pub fn word(&self, address: u64) -> Result<u64> {
        let mut bytes = [0; 8];
        self.memory
            .read_exact_at(&mut bytes, address)
            .map_err(|error| Error::io("reading the target's memory", &error))?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// Make it do a system call at `instruction`; `Err` when that fails. Afterwards its registers
    /// are the call's.
    pub fn call(
        &mut self,
        found: &libc::user_regs_struct,
        instruction: u64,
        number: libc::c_long,
        with: [u64; 6],
    ) -> Result<u64> {
        let [rdi, rsi, rdx, r10, r8, r9] = with;
        let rax = number as u64;
        self.set_registers(&libc::user_regs_struct {
            rip: instruction,
            rax,
            orig_rax: u64::MAX,
            rdi,
            rsi,
            rdx,
            r10,
            r8,
            r9,
            ..*found
        })?;
        self.next_call_stop()?;
        self.next_call_stop()?;
        let result = self.registers()?.rax as i64;
        if (-4095..0).contains(&result) {
            return Err(Error::io(
                format!("system call {number} in the target"),
                &io::Error::from_raw_os_error(-result as i32),
            ));
        }
        Ok(result as u64)
    }

    /// Let it run on, untraced.
    pub fn release(mut self) -> Result<()> {
        self.is_stopped = false;
        self.request(
            libc::PTRACE_DETACH,
            ptr::null_mut(),
            self.signal as usize,
            "letting the thread go",
        )
    }

    fn next_call_stop(&mut self) -> Result<()> {
        for _ in 0..MOST_STOPS {
            self.is_stopped = false;
            self.request(libc::PTRACE_SYSCALL, ptr::null_mut(), 0, "running a system call")?;
            if libc::WSTOPSIG(self.wait()?) == CALL_STOP {
                return Ok(());
            }
        }
        Err(Error::new(Status::Pending, "the thread was stopped again and again"))
    }

    /// Its next stop.
    fn wait(&mut self) -> Result<i32> {
        let until = Instant::now() + PATIENCE;
        loop {
            let mut status = 0;
            // SAFETY: `status` outlives the call.
            match unsafe { libc::waitpid(self.tid, &mut status, libc::__WALL | libc::WNOHANG) } {
                0 if Instant::now() < until => thread::sleep(TURN),
                0 => {
                    return Err(Error::new(
                        Status::Unavailable,
                        "the thread does not stop: it is deep in the kernel",
                    ))
                }
                -1 => {
                    return Err(Error::io(
                        "waiting for the thread to stop",
                        &io::Error::last_os_error(),
                    ))
                }
                _ if libc::WIFSTOPPED(status) => {
                    self.is_stopped = true;
                    return Ok(status);
                }
                _ => return Err(Error::new(Status::Pending, "the thread ended")),
            }
        }
    }

    fn request(
        &self,
        request: libc::c_uint,
        address: *mut libc::c_void,
        argument: usize,
        what: &str,
    ) -> Result<()> {
        // SAFETY: the callers pass the arguments of the request; the kernel checks the rest.
        if unsafe { libc::ptrace(request, self.tid, address, argument) } < 0 {
            return Err(Error::io(what, &io::Error::last_os_error()));
        }
        Ok(())
    }
}

impl Drop for Tracee {
    fn drop(&mut self) {
        if self.is_stopped {
            // it has ended when this fails
            let _ = self.request(
                libc::PTRACE_DETACH,
                ptr::null_mut(),
                self.signal as usize,
                "letting the thread go",
            );
        }
    }
}

/// Signals that wait and are not blocked, of a thread's status in `/proc`; None: it does not say.
fn waiting_signals(status: &str) -> Option<u64> {
    let mask = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        u64::from_str_radix(line.trim(), 16).ok()
    };
    Some((mask("SigPnd:")? | mask("ShdPnd:")?) & !mask("SigBlk:")?)
}

#[cfg(test)]
mod tests {
    use super::waiting_signals;

    #[test]
    fn signals_that_wait_are_those_of_thread_and_process_that_are_not_blocked() {
        assert_eq!(
            waiting_signals("SigQ:\t1/2\nSigPnd:\t0000000000000001\nShdPnd:\t0000000000000006\nSigBlk:\t0000000000000004\n"),
            Some(3)
        );
        assert_eq!(waiting_signals("Name:\tsh\n"), None);
    }
}
