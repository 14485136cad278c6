//! Facts about the processor: its time-stamp counter and whether it can be trusted as a clock.

/// Whether the time-stamp counter ticks at one rate through all power states, and so can be a
/// clock.
#[cfg(target_arch = "x86_64")]
pub fn has_invariant_tsc() -> bool {
    use std::arch::x86_64::__cpuid;
    const INVARIANT_TSC: u32 = 1 << 8;
    __cpuid(0x8000_0000).eax >= 0x8000_0007 && __cpuid(0x8000_0007).edx & INVARIANT_TSC != 0
}

/// Other processors: the system's clock is used.
#[cfg(not(target_arch = "x86_64"))]
pub fn has_invariant_tsc() -> bool {
    false
}

/// The time-stamp counter. Not ordered against neighbouring instructions: some nanoseconds of
/// error, for a quarter of the price.
#[cfg(target_arch = "x86_64")]
#[inline]
pub fn read_tsc() -> u64 {
    // SAFETY: every x86-64 processor has the instruction.
    unsafe { std::arch::x86_64::_rdtsc() }
}

/// Never called: `has_invariant_tsc` returned false.
#[cfg(not(target_arch = "x86_64"))]
pub fn read_tsc() -> u64 {
    0
}

/// Begins to fetch a place that will soon be written. Any address will do: nothing is read.
#[cfg(target_arch = "x86_64")]
#[inline]
pub fn prefetch<T>(place: *const T) {
    // as an instruction: the intrinsic becomes the hint for reading where the target says nothing
    // of this one
    // SAFETY: a hint, which never faults; processors without it do nothing.
    unsafe { std::arch::asm!("prefetchw [{}]", in(reg) place, options(nostack, preserves_flags)) };
}

/// Elsewhere the cache is left to itself.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
pub fn prefetch<T>(_place: *const T) {}
