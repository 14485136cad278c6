//! The effect of a stop on the system call in which a thread waits.

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

/// A call that may end with `EINTR` with nothing done, so that it may be begun again.
pub(super) fn can_begin_again(number: i64) -> bool {
    GIVEN_UP.contains(&number) || GIVEN_UP_TOO.contains(&number)
}

/// A wait for a lock, or a wait of any kind that was stopped before.
pub(super) fn may_be_for_a_lock(number: i64) -> bool {
    [libc::SYS_futex, libc::SYS_restart_syscall].contains(&number)
}

#[cfg(test)]
mod tests {
    use super::*;

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
