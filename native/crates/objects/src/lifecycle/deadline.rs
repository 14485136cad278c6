//! Deadlines of close requests: a request that has not run by then is withdrawn, the resource
//! counts as open again, and the object remembers the reason.
//!
//! One thread waits for the soonest deadline and ends when there is none. A forked child has no
//! such thread until its agent starts or it requests a close of its own with a deadline; so each
//! thread that runs a close, or asks for its state, checks the deadline too. The header shows each
//! deadline.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self};
use std::time::{Duration, Instant};

use super::close::{end, uncount_waiting};
use super::lives::{key_of, lives, names, Entry, Lives};
use super::lives::{type_of, Deadline};
use super::obstacle::obstacle;
use super::words::rate;
use platform::threads;
use recorder::runtime::{existing, Runtime};
use segment::atomic;
use segment::clock;
use segment::layout::{ResourceState, CLOSE_DEADLINES};

thread_local! {
    /// How long this thread's next close request may wait, milliseconds; 0: for ever.
    static NEXT_MILLIS: Cell<u64> = const { Cell::new(0) };
}

/// Gives this thread's next close request a deadline, 0: none.
pub fn set_deadline(millis: u64) {
    NEXT_MILLIS.with(|next| next.set(millis));
}

/// When the request that this thread makes now has to have run.
pub(super) fn take_deadline(runtime: &Runtime) -> Option<Deadline> {
    let millis = NEXT_MILLIS.with(Cell::take);
    if millis == 0 {
        return None;
    }
    let at = Instant::now().checked_add(Duration::from_millis(millis))?;
    let ticks = u128::from(millis) * u128::from(rate(runtime)) / 1000;
    let at_ticks = clock::ticks().saturating_add(u64::try_from(ticks).unwrap_or(u64::MAX));
    Some(Deadline { at, at_ticks, place: None })
}

/// Gives an entry's request a deadline and shows it. The lock of `Lives` is held, as whenever the
/// header's deadlines are written.
pub(super) fn show_deadline(
    runtime: &Runtime,
    entry: &mut Entry,
    handle: u64,
    deadline: Option<Deadline>,
) {
    let header = runtime.segment().header();
    entry.deadline = deadline.map(|deadline| {
        let is_free = |&place: &usize| {
            atomic!(AtomicU64, header, close_deadlines[place].handle).load(Ordering::Relaxed) == 0
        };
        let place = (0..CLOSE_DEADLINES).find(is_free);
        match place {
            Some(place) => {
                atomic!(AtomicU64, header, close_deadlines[place].at_ticks)
                    .store(deadline.at_ticks, Ordering::Relaxed);
                // Release: a reader that sees the handle sees its time
                atomic!(AtomicU64, header, close_deadlines[place].handle)
                    .store(handle, Ordering::Release);
            }
            None => {
                atomic!(AtomicU64, header, hidden_deadlines).fetch_add(1, Ordering::Relaxed);
            }
        }
        Deadline { place, ..deadline }
    });
}

/// The request has run or was taken back. The lock is held.
pub(super) fn hide_deadline(runtime: &Runtime, entry: &mut Entry) {
    let Some(deadline) = entry.deadline.take() else { return };
    let header = runtime.segment().header();
    match deadline.place {
        Some(place) => {
            atomic!(AtomicU64, header, close_deadlines[place].handle).store(0, Ordering::Relaxed)
        }
        None => {
            atomic!(AtomicU64, header, hidden_deadlines).fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// In a forked child whose agent starts: the thread that keeps deadlines stayed behind.
pub fn keep_inherited_deadlines(_runtime: &Runtime) {
    if soonest().is_some() {
        keep_deadlines(lives());
    }
}

/// Starts or wakes the thread that keeps the deadlines. When the system gives no thread, the
/// threads that run or ask for closes check them.
pub(super) fn keep_deadlines(lives: &Lives) {
    let mut keeper = lives.keeper.lock();
    if let Some(keeper) = &*keeper {
        return keeper.unpark();
    }
    let thread = threads::spawn("ai-deadlines", threads::FOREIGN_STACK_BYTES, || {
        if let Some(runtime) = existing() {
            wait_for_deadlines(runtime);
        }
    });
    *keeper = thread.ok().map(|thread| thread.thread().clone());
}

fn wait_for_deadlines(runtime: &Runtime) {
    loop {
        let mut keeper = lives().keeper.lock();
        let Some(soonest) = soonest() else {
            *keeper = None;
            return;
        };
        drop(keeper);
        // a request that comes meanwhile unparks, also when that happens before this line
        thread::park_timeout(soonest.saturating_duration_since(Instant::now()));
        withdraw_due(runtime);
    }
}

fn soonest() -> Option<Instant> {
    let inner = lives().inner.lock();
    inner
        .values()
        .filter(|entry| entry.request.is_some())
        .filter_map(|entry| entry.deadline)
        .map(|deadline| deadline.at)
        .min()
}

/// Withdraws the requests whose deadline has passed.
fn withdraw_due(runtime: &Runtime) {
    let now = Instant::now();
    let inner = lives().inner.lock();
    let due: Vec<u64> =
        inner.iter().filter(|(_, entry)| entry.is_due(now)).map(|(&address, _)| address).collect();
    drop(inner);
    due.into_iter().for_each(|address| {
        withdraw(runtime, address);
    });
}

/// Withdraws the request of an object if its deadline has passed; the reason names the obstacle.
pub(super) fn withdraw(runtime: &Runtime, address: u64) -> Option<String> {
    let mut inner = lives().inner.lock();
    let entry = inner.get_mut(&address).filter(|entry| entry.is_due(Instant::now()))?;
    let waited_for = obstacle(runtime, address, entry)
        .map(|obstacle| format!(": it {}", obstacle.waited(runtime)));
    let reason = format!("withdrawn, its deadline passed{}", waited_for.unwrap_or_default());
    let request = entry.request.take();
    hide_deadline(runtime, entry);
    entry.withdrawn = Some(reason.clone());
    // until its rows show it, no thread may begin another close
    entry.is_closing = true;
    uncount_waiting(runtime, entry);
    let type_id = type_of(runtime, entry);
    drop(inner);
    end(runtime, address, type_id, ResourceState::Open);
    // only now: the request's arguments may run foreign code when they are dropped
    drop(request);
    Some(reason)
}

/// As `withdraw`, by a handle of the object, for callers that ask for the state of its close.
pub(super) fn withdraw_if_due(runtime: &Runtime, handle: u64) {
    let slot = runtime.table.slot_of(handle).filter(|slot| names(runtime, slot.word0(), handle));
    if let Some(slot) = slot {
        withdraw(runtime, key_of(&slot, handle));
    }
}
