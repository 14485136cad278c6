//! Memory barriers of all threads of this process.

use std::io;

use crate::errors::checked;

/// Makes [`barrier_everywhere`] possible for this process; an error on kernels before 4.14.
pub fn prepare_barriers() -> io::Result<()> {
    membarrier(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED)
}

/// Every thread of this process passes a full memory barrier before this returns.
pub fn barrier_everywhere() -> io::Result<()> {
    membarrier(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED)
}

fn membarrier(command: libc::c_int) -> io::Result<()> {
    // SAFETY: membarrier reads no memory of ours.
    checked(unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) } as libc::c_int).map(drop)
}
