//! The position of a stopped thread, and whether it may be borrowed there. Pure, except that it
//! reads one word of the target.

use super::tracee::Tracee;
use super::{Place, Range};

/// Results of a system call that the kernel begins again by itself (`include/linux/errno.h`).
const RESTARTS: std::ops::RangeInclusive<i64> = -516..=-512;
/// The result that is begun again through `restart_syscall`.
const RESTART_BLOCK: i64 = -516;
/// `syscall`.
const INSTRUCTION: u16 = 0x050f;

/// The address at which the borrowed thread continues, and its `rax`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// Address.
    pub rip: u64,
    /// System call to be begun again, or the register as it was.
    pub rax: u64,
}

/// The effect of a stop on a wait of another process's thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Not to be borrowed, and not to be stopped.
    Untouchable = 0,
    /// The kernel begins it again where it was, with the rest of its timeout.
    Restarts = 1,
    /// It may end with `EINTR` for the stop. We begin it again, with its full timeout.
    BegunAgain = 2,
}

/// Waits that the kernel begins again after a stop without a signal, in which a thread holds
/// nothing that `pthread_create` needs if it came to them from the C library. `futex` is looked at
/// apart.
const RESTARTED: [i64; 11] = [
    libc::SYS_poll,
    libc::SYS_ppoll,
    libc::SYS_select,
    libc::SYS_pselect6,
    libc::SYS_nanosleep,
    libc::SYS_clock_nanosleep,
    libc::SYS_wait4,
    libc::SYS_waitid,
    libc::SYS_pause,
    libc::SYS_msgrcv,
    // a wait of this list, or a wait with a timeout for a condition, that was stopped before
    libc::SYS_restart_syscall,
];

/// Waits of the same kind that may end with `EINTR`, then with nothing done: always, or on a socket
/// with a timeout of its own (`SO_RCVTIMEO`).
const GIVEN_UP: [i64; 16] = [
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_recvmmsg,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_epoll_wait,
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_pwait2,
    libc::SYS_rt_sigtimedwait,
    libc::SYS_semop,
    libc::SYS_semtimedop,
    libc::SYS_io_getevents,
    libc::SYS_mq_timedreceive,
    libc::SYS_io_uring_enter,
];

/// Calls that are never borrowed, and that may end with `EINTR`, with nothing done, when they are
/// stopped all the same.
const GIVEN_UP_TOO: [i64; 7] = [
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_sendmmsg,
    libc::SYS_connect,
    libc::SYS_msgsnd,
];

/// The effect of a stop on a system call with this second argument. Waiting for a lock of the C
/// library's own (`malloc`, the loader, stdio) is `FUTEX_WAIT`; condition variables, semaphores and
/// joins, on which interpreters wait, are `FUTEX_WAIT_BITSET`.
pub fn wait_of(number: i64, second: u64) -> Wait {
    let operation = second as i32 & !(libc::FUTEX_PRIVATE_FLAG | libc::FUTEX_CLOCK_REALTIME);
    if RESTARTED.contains(&number)
        || (number == libc::SYS_futex && operation == libc::FUTEX_WAIT_BITSET)
    {
        Wait::Restarts
    } else if GIVEN_UP.contains(&number) {
        Wait::BegunAgain
    } else {
        Wait::Untouchable
    }
}

/// How a thread is borrowed that was stopped with these registers; `Err`: why not now.
///
/// A signal may wait for the thread. It stays blocked while the thread is borrowed; then the call
/// begins again, and the signal ends it at once as it would have ended it before.
pub fn harmless(
    tracee: &Tracee,
    found: &libc::user_regs_struct,
    place: &Place,
) -> Result<Point, String> {
    match point(found, place.libc, place.python)? {
        Some(point) => {
            let instruction = tracee.word(point.rip).map_err(|error| error.message)? as u16;
            if instruction == INSTRUCTION {
                Ok(point)
            } else {
                Err("it is in a system call of an unknown kind".into())
            }
        }
        None => Ok(Point { rip: found.rip, rax: found.rax }),
    }
}

/// `Some`: it waits in a system call that begins again from there; `None`: it runs the
/// interpreter's own code.
fn point(
    found: &libc::user_regs_struct,
    c_library: Range,
    python: Range,
) -> Result<Option<Point>, String> {
    let (number, result) = (found.orig_rax as i64, found.rax as i64);
    if number < 0 {
        return if python.holds(found.rip) {
            Ok(None)
        } else {
            Err("it runs outside the interpreter".into())
        };
    }
    if !c_library.holds(found.rip) {
        return Err("it is in a system call of its own".into());
    }
    if wait_of(number, found.rsi) == Wait::Untouchable {
        return Err(format!("it is in system call {number}"));
    }
    let rax = match result {
        RESTART_BLOCK => libc::SYS_restart_syscall,
        _ if RESTARTS.contains(&result) || is_given_up(number, result) => number,
        _ => return Err(format!("it comes back from system call {number}")),
    };
    Ok(Some(Point { rip: found.rip - 2, rax: rax as u64 }))
}

/// A wait that ended with `EINTR` although nothing of it was done.
fn is_given_up(number: i64, result: i64) -> bool {
    is_interrupted(number, result) && (GIVEN_UP.contains(&number) || GIVEN_UP_TOO.contains(&number))
}

/// A system call that ends with `EINTR`.
pub fn is_interrupted(number: i64, result: i64) -> bool {
    number >= 0 && result == -i64::from(libc::EINTR)
}

/// The registers with which a wait is begun again that the stop would make fail; `None`: the thread
/// can run on as it is.
pub fn undisturbed(found: &libc::user_regs_struct) -> Option<libc::user_regs_struct> {
    is_given_up(found.orig_rax as i64, found.rax as i64).then(|| libc::user_regs_struct {
        rip: found.rip - 2,
        rax: found.orig_rax,
        orig_rax: u64::MAX,
        ..*found
    })
}

/// The registers with which a wait that tolerates it ends with `EINTR`; `None`: it is in none.
pub fn nudged(found: &libc::user_regs_struct) -> Option<libc::user_regs_struct> {
    let (number, result) = (found.orig_rax as i64, found.rax as i64);
    let is_for_a_lock = [libc::SYS_futex, libc::SYS_restart_syscall].contains(&number);
    let is_wait = !is_for_a_lock && wait_of(number, 0) != Wait::Untouchable;
    let ends = is_wait && (RESTARTS.contains(&result) || is_given_up(number, result));
    ends.then(|| libc::user_regs_struct {
        rax: (-i64::from(libc::EINTR)) as u64,
        orig_rax: u64::MAX,
        ..*found
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIBC: Range = Range { low: 0x1000, high: 0x2000 };
    const PYTHON: Range = Range { low: 0x5000, high: 0x6000 };

    fn stopped(rip: u64, number: i64, result: i64, second: u64) -> libc::user_regs_struct {
        // SAFETY: all fields are integers.
        let zero: libc::user_regs_struct = unsafe { std::mem::zeroed() };
        libc::user_regs_struct {
            rip,
            orig_rax: number as u64,
            rax: result as u64,
            rsi: second,
            ..zero
        }
    }

    #[test]
    fn a_thread_in_the_interpreter_goes_on_where_it_was_and_one_elsewhere_is_left_alone() {
        assert_eq!(point(&stopped(0x5010, -1, 7, 0), LIBC, PYTHON), Ok(None));
        assert!(point(&stopped(0x1010, -1, 7, 0), LIBC, PYTHON).is_err());
        assert!(point(&stopped(0x9000, -1, 7, 0), LIBC, PYTHON).is_err());
    }

    #[test]
    fn a_wait_begins_again_as_the_kernel_would_have_it() {
        let read = point(&stopped(0x1010, libc::SYS_read, -512, 0), LIBC, PYTHON);
        assert_eq!(read, Ok(Some(Point { rip: 0x100e, rax: libc::SYS_read as u64 })));
        let sleep = point(&stopped(0x1010, libc::SYS_clock_nanosleep, -516, 0), LIBC, PYTHON);
        assert_eq!(sleep, Ok(Some(Point { rip: 0x100e, rax: libc::SYS_restart_syscall as u64 })));
        let epoll = point(&stopped(0x1010, libc::SYS_epoll_wait, -4, 0), LIBC, PYTHON);
        assert_eq!(epoll, Ok(Some(Point { rip: 0x100e, rax: libc::SYS_epoll_wait as u64 })));
    }

    #[test]
    fn one_that_waits_for_a_lock_of_the_c_library_or_has_its_answer_is_left_alone() {
        let private = libc::FUTEX_PRIVATE_FLAG as u64;
        let lock = stopped(0x1010, libc::SYS_futex, -512, libc::FUTEX_WAIT as u64 | private);
        assert!(point(&lock, LIBC, PYTHON).is_err());
        let condition =
            stopped(0x1010, libc::SYS_futex, -512, libc::FUTEX_WAIT_BITSET as u64 | private);
        assert!(matches!(point(&condition, LIBC, PYTHON), Ok(Some(_))));
        assert!(point(&stopped(0x1010, libc::SYS_read, 5, 0), LIBC, PYTHON).is_err());
        assert!(point(&stopped(0x1010, libc::SYS_mmap, -512, 0), LIBC, PYTHON).is_err());
        assert!(point(&stopped(0x9010, libc::SYS_read, -512, 0), LIBC, PYTHON).is_err());
    }

    #[test]
    fn a_nudge_ends_waits_for_files_and_time_and_never_those_for_locks() {
        let sleep = stopped(0x1010, libc::SYS_clock_nanosleep, -516, 0);
        assert_eq!(
            nudged(&sleep).map(|changed| (changed.rax as i64, changed.orig_rax)),
            Some((-4, u64::MAX))
        );
        assert!(nudged(&stopped(0x1010, libc::SYS_futex, -512, libc::FUTEX_WAIT_BITSET as u64))
            .is_none());
        assert!(nudged(&stopped(0x1010, libc::SYS_read, 5, 0)).is_none());
    }

    #[test]
    fn a_look_at_a_poller_does_not_make_it_fail() {
        let changed = undisturbed(&stopped(0x1010, libc::SYS_epoll_wait, -4, 0))
            .map(|changed| (changed.rip, changed.rax));
        assert_eq!(changed, Some((0x100e, libc::SYS_epoll_wait as u64)));
        assert!(undisturbed(&stopped(0x1010, libc::SYS_read, -512, 0)).is_none());
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
            let changed = undisturbed(&stopped(0x1010, number, -4, 0))
                .map(|changed| (changed.rip, changed.rax));
            assert_eq!(changed, Some((0x100e, number as u64)));
        }
        assert!(undisturbed(&stopped(0x1010, libc::SYS_close, -4, 0)).is_none());
        assert!(is_interrupted(libc::SYS_close, -4) && !is_interrupted(-1, -4));
    }

    #[test]
    fn waits_are_told_apart_by_how_they_bear_a_stop() {
        assert_eq!(wait_of(libc::SYS_poll, 0), Wait::Restarts);
        assert_eq!(wait_of(libc::SYS_restart_syscall, 0), Wait::Restarts);
        assert_eq!(
            wait_of(libc::SYS_futex, (libc::FUTEX_WAIT_BITSET | libc::FUTEX_PRIVATE_FLAG) as u64),
            Wait::Restarts
        );
        assert_eq!(wait_of(libc::SYS_futex, libc::FUTEX_WAIT as u64), Wait::Untouchable);
        assert_eq!(wait_of(libc::SYS_recvfrom, 0), Wait::BegunAgain);
        assert_eq!(wait_of(libc::SYS_close, 0), Wait::Untouchable);
    }
}
