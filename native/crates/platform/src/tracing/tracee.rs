//! A stopped thread of another process. Every wait is bounded; dropping it lets the thread run.
//!
//! All calls for one tracee come from the thread that stopped it: the kernel wants that.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::ptr;
use std::thread;
use std::time::{Duration, Instant};

use super::registers::Registers;

/// How long a thread may take to stop. A thread that does not stop is in the kernel, and is
/// released by the injector's end.
const PATIENCE: Duration = Duration::from_millis(200);
const TURN: Duration = Duration::from_micros(20);
/// Stops on the way into and out of one system call, and other stops that may come between.
const MOST_STOPS: usize = 16;
/// A system call stop, as `PTRACE_O_TRACESYSGOOD` marks it.
const CALL_STOP: i32 = libc::SIGTRAP | 0x80;
const EVENT_STOP: i32 = libc::PTRACE_EVENT_STOP;

/// Why a thread was not stopped, or not changed.
#[derive(Debug)]
pub enum Refusal {
    /// Not now: the thread is held by something else, or has ended.
    Pending(&'static str),
    /// The thread does not stop.
    Stuck,
    /// The system refused: what was tried, and its error.
    System(String, io::Error),
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pending(why) => formatter.write_str(why),
            Self::Stuck => {
                formatter.write_str("the thread does not stop: it is deep in the kernel")
            }
            Self::System(doing, error) => write!(formatter, "{error}: {doing}"),
        }
    }
}

type Result<T> = std::result::Result<T, Refusal>;

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
        let memory = File::options().read(true).write(true).open(&path).map_err(refused(&path))?;
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
            return Err(Refusal::Pending("the process is stopped by a signal"));
        }
        tracee.signal = libc::WSTOPSIG(status);
        Err(Refusal::Pending("a signal was on its way to the thread"))
    }

    /// A signal that it does not block waits for it; also true when that is unknown.
    pub fn has_signal(&self) -> bool {
        std::fs::read_to_string(&self.status).map_or(true, |text| waiting_signals(&text) != Some(0))
    }

    /// Its registers.
    pub fn registers(&self) -> Result<Registers> {
        // SAFETY: all fields are integers.
        let mut registers: Registers = unsafe { std::mem::zeroed() };
        let place: *mut Registers = &mut registers;
        self.request(libc::PTRACE_GETREGS, ptr::null_mut(), place as usize, "reading registers")?;
        Ok(registers)
    }

    /// Give it these registers.
    pub fn set_registers(&self, registers: &Registers) -> Result<()> {
        let place: *const Registers = registers;
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
        self.memory.write_all_at(bytes, address).map_err(refused("writing to the target's memory"))
    }

    /// Eight bytes of its memory.
    pub fn word(&self, address: u64) -> Result<u64> {
        let mut bytes = [0; 8];
        self.memory
            .read_exact_at(&mut bytes, address)
            .map_err(refused("reading the target's memory"))?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// Make it map memory: `code_bytes` that can be run and never written to by the target itself,
    /// and behind them bytes that can be written to, up to `bytes`. Returns the address. Afterwards
    /// its registers are the call's.
    ///
    /// Executable from the start: such a mapping is allowed where memory may not become executable
    /// later (systemd's `MemoryDenyWriteExecute`, `PR_SET_MDWE`). [`Tracee::write`] ignores the
    /// protection.
    ///
    /// `found` are its registers, `instruction` the address of a `syscall`.
    pub fn map_code(
        &mut self,
        found: &Registers,
        instruction: u64,
        (code_bytes, bytes): (u64, u64),
    ) -> Result<u64> {
        let executable = (libc::PROT_READ | libc::PROT_EXEC) as u64;
        let writable = (libc::PROT_READ | libc::PROT_WRITE) as u64;
        let flags = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS) as u64;
        let asked = [0, bytes, executable, flags, u64::MAX, 0];
        let base = self.call(found, instruction, libc::SYS_mmap, asked)?;
        let rest = [base + code_bytes, bytes - code_bytes, writable, 0, 0, 0];
        if let Err(refusal) = self.call(found, instruction, libc::SYS_mprotect, rest) {
            self.call(found, instruction, libc::SYS_munmap, [base, bytes, 0, 0, 0, 0])?;
            return Err(refusal);
        }
        Ok(base)
    }

    /// Make it do a system call at `instruction`; `Err` when that fails.
    fn call(
        &mut self,
        found: &Registers,
        instruction: u64,
        number: libc::c_long,
        with: [u64; 6],
    ) -> Result<u64> {
        self.set_registers(&found.calling(instruction, number as u64, with))?;
        self.next_call_stop()?;
        self.next_call_stop()?;
        let result = self.registers()?.result();
        if (-4095..0).contains(&result) {
            return Err(Refusal::System(
                format!("system call {number} in the target"),
                io::Error::from_raw_os_error(-result as i32),
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
        Err(Refusal::Pending("the thread was stopped again and again"))
    }

    /// Its next stop.
    fn wait(&mut self) -> Result<i32> {
        let until = Instant::now() + PATIENCE;
        loop {
            let mut status = 0;
            // SAFETY: `status` outlives the call.
            match unsafe { libc::waitpid(self.tid, &mut status, libc::__WALL | libc::WNOHANG) } {
                0 if Instant::now() < until => thread::sleep(TURN),
                0 => return Err(Refusal::Stuck),
                -1 => {
                    return Err(refused("waiting for the thread to stop")(
                        io::Error::last_os_error(),
                    ))
                }
                _ if libc::WIFSTOPPED(status) => {
                    self.is_stopped = true;
                    return Ok(status);
                }
                _ => return Err(Refusal::Pending("the thread ended")),
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
            return Err(refused(what)(io::Error::last_os_error()));
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

fn refused(doing: &str) -> impl FnOnce(io::Error) -> Refusal + '_ {
    move |error| Refusal::System(doing.to_owned(), error)
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
