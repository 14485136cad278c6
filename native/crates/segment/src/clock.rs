//! Ticks: the cheapest clock of the machine, with the anchor that makes wall time of them.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use crate::cpu;
use crate::layout::ClockSource;

/// 0: not asked yet, else a `ClockSource`. The processor does not change, so every thread that asks
/// finds the same; `Relaxed` suffices.
static SOURCE: AtomicU8 = AtomicU8::new(0);

/// The clock that gives ticks on this machine.
pub fn source() -> ClockSource {
    match SOURCE.load(Ordering::Relaxed) {
        0 => find_source(),
        found if found == ClockSource::Tsc as u8 => ClockSource::Tsc,
        _ => ClockSource::Monotonic,
    }
}

#[cold]
fn find_source() -> ClockSource {
    let found = if cpu::has_invariant_tsc() { ClockSource::Tsc } else { ClockSource::Monotonic };
    SOURCE.store(found as u8, Ordering::Relaxed);
    found
}

/// Now. Never 0, which means *not recorded*.
#[inline]
pub fn ticks() -> u64 {
    match source() {
        ClockSource::Tsc => cpu::read_tsc().max(1),
        ClockSource::Monotonic => platform::monotonic_nanos().max(1),
    }
}

/// One instant on three clocks.
#[derive(Clone, Copy, Debug)]
pub struct Anchor {
    /// Ours.
    pub ticks: u64,
    /// `CLOCK_MONOTONIC`.
    pub monotonic_nanos: u64,
    /// Wall clock.
    pub unix_nanos: u64,
}

impl Anchor {
    /// Takes the anchor now: of five tries the one whose clocks were read closest together.
    pub fn now() -> Self {
        let mut best = Self::once();
        for _ in 0..4 {
            let next = Self::once();
            if next.1 < best.1 {
                best = next;
            }
        }
        best.0
    }

    fn once() -> (Self, u64) {
        let before = ticks();
        let (monotonic_nanos, unix_nanos) = (platform::monotonic_nanos(), platform::unix_nanos());
        let spread = ticks().saturating_sub(before);
        (Self { ticks: before + spread / 2, monotonic_nanos, unix_nanos }, spread)
    }

    /// Ticks per second as measured from this anchor until now; the longer that is, the better.
    /// Waits until it is 2 ms, for an error of about 5 in 100,000.
    pub fn rate(&self) -> u64 {
        if source() == ClockSource::Monotonic {
            return 1_000_000_000;
        }
        let elapsed =
            Duration::from_nanos(platform::monotonic_nanos().saturating_sub(self.monotonic_nanos));
        std::thread::sleep(Duration::from_millis(2).saturating_sub(elapsed));
        let now = Self::now();
        let nanos = u128::from(now.monotonic_nanos.saturating_sub(self.monotonic_nanos)).max(1);
        (u128::from(now.ticks.saturating_sub(self.ticks)) * 1_000_000_000 / nanos) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_never_go_back_on_one_thread() {
        let mut last = ticks();
        for _ in 0..1000 {
            let now = ticks();
            assert!(now >= last);
            last = now;
        }
    }

    #[test]
    fn the_measured_rate_converts_ticks_to_elapsed_time() {
        let anchor = Anchor::now();
        let rate = anchor.rate();
        let later = Anchor::now();
        let by_ticks = u128::from(later.ticks - anchor.ticks) * 1_000_000_000 / u128::from(rate);
        let by_clock = u128::from(later.monotonic_nanos - anchor.monotonic_nanos);
        assert!(by_ticks.abs_diff(by_clock) * 100 < by_clock, "{by_ticks} against {by_clock}");
    }
}
