//! Clocks.

use std::time::Duration;

/// `CLOCK_MONOTONIC`, nanoseconds.
#[inline]
pub fn monotonic_nanos() -> u64 {
    clock_nanos(libc::CLOCK_MONOTONIC)
}

/// Wall clock, nanoseconds since 1970.
pub fn unix_nanos() -> u64 {
    clock_nanos(libc::CLOCK_REALTIME)
}

/// CPU time of the calling thread, nanoseconds.
pub fn thread_cpu_nanos() -> u64 {
    clock_nanos(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// CPU time of thread `tid` of this process, nanoseconds; 0 when it has ended.
pub(crate) fn cpu_nanos_of(tid: u32) -> u64 {
    // the kernel's number of a thread's own clock: its id, inverted, and the kind of clock
    clock_nanos(((!tid as libc::clockid_t) << 3) | 6)
}

#[inline]
fn clock_nanos(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a timespec of ours.
    unsafe { libc::clock_gettime(clock, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// A span of time in the system's form.
pub(crate) fn timespec(span: Duration) -> libc::timespec {
    libc::timespec {
        tv_sec: i64::try_from(span.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(span.subsec_nanos()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_of_a_thread_is_that_of_its_id() {
        let own = cpu_nanos_of(crate::thread_id());
        assert!(own > 0 && own <= thread_cpu_nanos());
        assert_eq!(cpu_nanos_of(u32::MAX >> 4), 0);
    }
}
