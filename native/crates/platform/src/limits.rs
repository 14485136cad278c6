//! Resource limits of this process.

use std::fs;

/// The soft limit of a resource; None: there is none.
pub(super) fn of(resource: libc::__rlimit_resource_t) -> Option<u64> {
    let mut limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: a place for the limit.
    unsafe { libc::getrlimit(resource, &mut limit) };
    (limit.rlim_cur != libc::RLIM_INFINITY).then_some(limit.rlim_cur)
}

/// The limit of address space (`ulimit -v`), bytes.
pub fn address_space() -> Option<u64> {
    of(libc::RLIMIT_AS)
}

/// How much of it is left, bytes; None: it is not limited, or the limit is unknown.
pub fn address_space_left() -> Option<u64> {
    let limit = address_space()?;
    let pages: u64 =
        fs::read_to_string("/proc/self/statm").ok()?.split(' ').next()?.parse().ok()?;
    // SAFETY: sysconf has no preconditions.
    let page_bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as u64;
    Some(limit.saturating_sub(pages * page_bytes))
}
