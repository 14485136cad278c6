//! Deadlines of close requests: what has not run by then is withdrawn, the resource counts as open again, and the object remembers why.
//!
//! One thread waits for the soonest deadline and ends when there is none. A forked child has no such thread: there a deadline is also looked
//! at by whoever tries to run the close.

use std::cell::Cell;
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::close::{end, obstacle, uncount_waiting};
use super::{Entry, Lives};
use crate::layout::ResourceState;
use crate::platform::ipc;
use crate::runtime::{existing, Runtime};
use crate::sync::Lock;

thread_local! {
    /// How long this thread's next close request may wait, milliseconds; 0: for ever.
    static NEXT_MILLIS: Cell<u64> = const { Cell::new(0) };
}

/// The thread that waits, while there is one.
pub type Keeper = Lock<Option<Thread>>;

/// Gives this thread's next close request a deadline, 0: none.
pub fn set_deadline(millis: u64) {
    NEXT_MILLIS.with(|next| next.set(millis));
}

/// When the request that this thread makes now has to have run.
pub(super) fn take_deadline() -> Option<Instant> {
    let millis = NEXT_MILLIS.with(Cell::take);
    (millis > 0).then(|| Instant::now().checked_add(Duration::from_millis(millis))).flatten()
}

/// Sees to it that the deadlines are kept from now on. When the system gives no thread, they are looked at by those who come by.
pub(super) fn keep_deadlines(lives: &Lives) {
    let mut keeper = lives.keeper.lock();
    if let Some(keeper) = &*keeper {
        return keeper.unpark();
    }
    let thread = ipc::spawn("ai-deadlines", ipc::FOREIGN_STACK_BYTES, || {
        if let Some(runtime) = existing() {
            wait_for_deadlines(runtime);
        }
    });
    *keeper = thread.ok().map(|thread| thread.thread().clone());
}

fn wait_for_deadlines(runtime: &Runtime) {
    loop {
        let mut keeper = runtime.lives.keeper.lock();
        let Some(soonest) = soonest(runtime) else {
            *keeper = None;
            return;
        };
        drop(keeper);
        // a request that comes meanwhile unparks, also when that happens before this line
        thread::park_timeout(soonest.saturating_duration_since(Instant::now()));
        withdraw_due(runtime);
    }
}

fn soonest(runtime: &Runtime) -> Option<Instant> {
    runtime.lives.inner.lock().values().filter(|entry| entry.request.is_some()).filter_map(|entry| entry.deadline).min()
}

/// Withdraws the requests whose deadline has passed.
fn withdraw_due(runtime: &Runtime) {
    let now = Instant::now();
    let inner = runtime.lives.inner.lock();
    let due: Vec<u64> = inner.iter().filter(|(_, entry)| entry.is_due(now)).map(|(&address, _)| address).collect();
    drop(inner);
    due.into_iter().for_each(|address| {
        withdraw(runtime, address);
    });
}

/// Withdraws the request of one object if its deadline has passed; the reason says what it waited for.
pub(super) fn withdraw(runtime: &Runtime, address: u64) -> Option<String> {
    let mut inner = runtime.lives.inner.lock();
    let entry = inner.get_mut(&address).filter(|entry| entry.is_due(Instant::now()))?;
    let waited_for = obstacle(runtime, address, entry).map(|obstacle| format!(": it {}", obstacle.waited(runtime)));
    let reason = format!("withdrawn, its deadline passed{}", waited_for.unwrap_or_default());
    let request = entry.request.take();
    entry.deadline = None;
    entry.withdrawn = Some(reason.clone());
    // until its rows show it nobody may begin another one
    entry.is_closing = true;
    uncount_waiting(runtime, entry);
    let type_id = super::type_of(runtime, entry);
    drop(inner);
    end(runtime, address, type_id, ResourceState::Open);
    // only now: what the request carries may run foreign code when it is dropped
    drop(request);
    Some(reason)
}

impl Entry {
    fn is_due(&self, now: Instant) -> bool {
        self.request.is_some() && self.deadline.is_some_and(|deadline| deadline <= now)
    }
}
