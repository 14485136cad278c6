//! The attributes of a thread that another process is to start.

/// Offsets of the words that are set in glibc's `pthread_attr_t` on x86-64; all else is zero, as
/// `pthread_attr_init` leaves it.
const GUARD: usize = 16;
const STACK: usize = 32;
/// Size of the structure.
pub const ATTRIBUTES_BYTES: usize = 56;

/// The attributes of a thread with a stack of so many bytes, and the guard behind it.
pub fn thread_attributes(guard_bytes: u64, stack_bytes: u64) -> [u8; ATTRIBUTES_BYTES] {
    let mut attributes = [0; ATTRIBUTES_BYTES];
    for (at, value) in [(GUARD, guard_bytes), (STACK, stack_bytes)] {
        attributes[at..at + 8].copy_from_slice(&value.to_le_bytes());
    }
    attributes
}

#[cfg(all(test, target_arch = "x86_64", target_env = "gnu"))]
mod tests {
    use super::*;

    #[test]
    fn the_attributes_are_those_that_the_c_library_would_write() {
        let mut usual = [0_u8; ATTRIBUTES_BYTES];
        // SAFETY: attributes are as many bytes.
        unsafe {
            libc::pthread_attr_init(usual.as_mut_ptr().cast());
            libc::pthread_attr_setstacksize(usual.as_mut_ptr().cast(), 2 << 20);
        }
        assert_eq!(thread_attributes(4096, 2 << 20), usual);
    }
}
