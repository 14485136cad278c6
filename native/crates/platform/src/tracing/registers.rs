//! The position of a stopped thread, and whether it may be borrowed there. Pure, except that it
//! reads one word of the target.

use std::ops::Range;

use super::tracee::Tracee;
use super::waits::{can_begin_again, may_be_for_a_lock, wait_of, Wait};

/// Results of a system call that the kernel begins again by itself (`include/linux/errno.h`).
const RESTARTS: std::ops::RangeInclusive<i64> = -516..=-512;
/// The result that is begun again through `restart_syscall`.
const RESTART_BLOCK: i64 = -516;
/// `syscall`.
const INSTRUCTION: u16 = 0x050f;
/// The number of a system call where a thread is in none.
const NO_CALL: u64 = u64::MAX;

/// The registers of a stopped thread.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Registers(pub(super) libc::user_regs_struct);

/// The address at which the borrowed thread continues, and its `rax`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// Address.
    pub rip: u64,
    /// System call to be begun again, or the register as it was.
    pub rax: u64,
}

/// Addresses of code in the target.
#[derive(Clone, Debug)]
pub struct Code {
    /// The C library's.
    pub c_library: Range<u64>,
    /// The interpreter's.
    pub python: Range<u64>,
}

/// How a thread is borrowed that was stopped with these registers; `Err`: why not now.
///
/// A signal may wait for the thread. It stays blocked while the thread is borrowed; then the call
/// begins again, and the signal ends it at once as it would have ended it before.
pub fn harmless(tracee: &Tracee, found: &Registers, code: &Code) -> Result<Point, String> {
    match point(found, code)? {
        Some(point) => {
            let instruction = tracee.word(point.rip).map_err(|refusal| refusal.to_string())? as u16;
            if instruction == INSTRUCTION {
                Ok(point)
            } else {
                Err("it is in a system call of an unknown kind".into())
            }
        }
        None => Ok(Point { rip: found.0.rip, rax: found.0.rax }),
    }
}

/// `Some`: it waits in a system call that begins again from there; `None`: it runs the
/// interpreter's own code.
fn point(found: &Registers, code: &Code) -> Result<Option<Point>, String> {
    let (number, result) = found.call();

    if number < 0 {
        return if code.python.contains(&found.0.rip) {
            Ok(None)
        } else {
            Err("it runs outside the interpreter".into())
        };
    }
    if !code.c_library.contains(&found.0.rip) {
        return Err("it is in a system call of its own".into());
    }
    if wait_of(number, found.0.rsi) == Wait::Untouchable {
        return Err(format!("it is in system call {number}"));
    }
    let rax = match result {
        RESTART_BLOCK => libc::SYS_restart_syscall,
        _ if RESTARTS.contains(&result) || found.is_given_up() => number,
        _ => return Err(format!("it comes back from system call {number}")),
    };
    Ok(Some(Point { rip: found.0.rip - 2, rax: rax as u64 }))
}

impl Registers {
    /// Number and result of the system call that the thread is in; the number is below 0 when it is
    /// in none.
    fn call(&self) -> (i64, i64) {
        (self.0.orig_rax as i64, self.result())
    }

    /// The result of a system call.
    pub(super) fn result(&self) -> i64 {
        self.0.rax as i64
    }

    /// The registers with which the thread continues at an address, with this `rax`.
    pub fn continued_at(&self, rip: u64, rax: u64) -> Self {
        Self(libc::user_regs_struct { rip, rax, orig_rax: NO_CALL, ..self.0 })
    }

    /// The registers with which the thread does a system call at `instruction`.
    pub(super) fn calling(&self, instruction: u64, number: u64, with: [u64; 6]) -> Self {
        let [rdi, rsi, rdx, r10, r8, r9] = with;
        let Self(at) = self.continued_at(instruction, number);
        Self(libc::user_regs_struct { rdi, rsi, rdx, r10, r8, r9, ..at })
    }

    /// A system call that ends with `EINTR`.
    pub fn is_interrupted(&self) -> bool {
        let (number, result) = self.call();
        number >= 0 && result == -i64::from(libc::EINTR)
    }

    /// A wait that ended with `EINTR` although nothing of it was done.
    fn is_given_up(&self) -> bool {
        self.is_interrupted() && can_begin_again(self.call().0)
    }

    /// The registers with which a wait is begun again that the stop would make fail; `None`: the
    /// thread can run on as it is.
    pub fn undisturbed(&self) -> Option<Self> {
        self.is_given_up().then(|| self.continued_at(self.0.rip - 2, self.0.orig_rax))
    }

    /// The registers with which a wait that tolerates it ends with `EINTR`; `None`: it is in none.
    pub fn nudged(&self) -> Option<Self> {
        let (number, result) = self.call();
        let is_wait = !may_be_for_a_lock(number) && wait_of(number, 0) != Wait::Untouchable;
        let ends = is_wait && (RESTARTS.contains(&result) || self.is_given_up());
        ends.then(|| self.continued_at(self.0.rip, (-i64::from(libc::EINTR)) as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: Code = Code { c_library: 0x1000..0x2000, python: 0x5000..0x6000 };

    fn stopped(rip: u64, number: i64, result: i64, second: u64) -> Registers {
        // SAFETY: all fields are integers.
        let zero: libc::user_regs_struct = unsafe { std::mem::zeroed() };
        Registers(libc::user_regs_struct {
            rip,
            orig_rax: number as u64,
            rax: result as u64,
            rsi: second,
            ..zero
        })
    }

    #[test]
    fn a_thread_in_the_interpreter_goes_on_where_it_was_and_one_elsewhere_is_left_alone() {
        assert_eq!(point(&stopped(0x5010, -1, 7, 0), &CODE), Ok(None));
        assert!(point(&stopped(0x1010, -1, 7, 0), &CODE).is_err());
        assert!(point(&stopped(0x9000, -1, 7, 0), &CODE).is_err());
    }

    #[test]
    fn a_wait_begins_again_as_the_kernel_would_have_it() {
        let read = point(&stopped(0x1010, libc::SYS_read, -512, 0), &CODE);
        assert_eq!(read, Ok(Some(Point { rip: 0x100e, rax: libc::SYS_read as u64 })));
        let sleep = point(&stopped(0x1010, libc::SYS_clock_nanosleep, -516, 0), &CODE);
        assert_eq!(sleep, Ok(Some(Point { rip: 0x100e, rax: libc::SYS_restart_syscall as u64 })));
        let epoll = point(&stopped(0x1010, libc::SYS_epoll_wait, -4, 0), &CODE);
        assert_eq!(epoll, Ok(Some(Point { rip: 0x100e, rax: libc::SYS_epoll_wait as u64 })));
    }

    #[test]
    fn one_that_waits_for_a_lock_of_the_c_library_or_has_its_answer_is_left_alone() {
        let private = libc::FUTEX_PRIVATE_FLAG as u64;
        let lock = stopped(0x1010, libc::SYS_futex, -512, libc::FUTEX_WAIT as u64 | private);
        assert!(point(&lock, &CODE).is_err());
        let condition =
            stopped(0x1010, libc::SYS_futex, -512, libc::FUTEX_WAIT_BITSET as u64 | private);
        assert!(matches!(point(&condition, &CODE), Ok(Some(_))));
        assert!(point(&stopped(0x1010, libc::SYS_read, 5, 0), &CODE).is_err());
        assert!(point(&stopped(0x1010, libc::SYS_mmap, -512, 0), &CODE).is_err());
        assert!(point(&stopped(0x9010, libc::SYS_read, -512, 0), &CODE).is_err());
    }

    #[test]
    fn a_nudge_ends_waits_for_files_and_time_and_never_those_for_locks() {
        let sleep = stopped(0x1010, libc::SYS_clock_nanosleep, -516, 0);
        assert_eq!(
            sleep.nudged().map(|changed| (changed.0.rax as i64, changed.0.orig_rax)),
            Some((-4, u64::MAX))
        );
        let condition = stopped(0x1010, libc::SYS_futex, -512, libc::FUTEX_WAIT_BITSET as u64);
        assert!(condition.nudged().is_none());
        assert!(stopped(0x1010, libc::SYS_read, 5, 0).nudged().is_none());
    }

    #[test]
    fn a_look_at_a_poller_does_not_make_it_fail() {
        let changed = stopped(0x1010, libc::SYS_epoll_wait, -4, 0)
            .undisturbed()
            .map(|changed| (changed.0.rip, changed.0.rax));
        assert_eq!(changed, Some((0x100e, libc::SYS_epoll_wait as u64)));
        assert!(stopped(0x1010, libc::SYS_read, -512, 0).undisturbed().is_none());
    }

    #[test]
    fn a_look_at_a_socket_with_a_timeout_does_not_make_it_fail_and_a_call_that_is_not_known_is_never_done_twice(
    ) {
        for number in [
            libc::SYS_recvfrom,
            libc::SYS_read,
            libc::SYS_accept4,
            libc::SYS_sendto,
            libc::SYS_semtimedop,
        ] {
            let changed = stopped(0x1010, number, -4, 0)
                .undisturbed()
                .map(|changed| (changed.0.rip, changed.0.rax));
            assert_eq!(changed, Some((0x100e, number as u64)));
        }
        assert!(stopped(0x1010, libc::SYS_close, -4, 0).undisturbed().is_none());
        assert!(stopped(0x1010, libc::SYS_close, -4, 0).is_interrupted());
        assert!(!stopped(0x1010, -1, -4, 0).is_interrupted());
    }
}
