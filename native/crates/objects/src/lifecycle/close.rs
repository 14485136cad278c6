//! The end of a resource: asked for by any thread, run at most once, after the calls in flight and
//! where the type wants it.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::by_proxy;
use super::deadline::{
    hide_deadline, keep_deadlines, show_deadline, take_deadline, withdraw, withdraw_if_due,
};
use super::lives::{key_of, lives, owner_of, show, Entry};
use super::lives::{type_of, ByKey, Deadline, Run};
use super::method::method_of;
use super::obstacle::{obstacle, Obstacle};
use super::waiting;
use super::watch::{tell, told_of, CloseNews};
use recorder::count_one;
use recorder::events;
use recorder::levels;
use recorder::runtime::Runtime;
use recorder::threads::{self, fast_path};
use segment::atomic;
use segment::layout::{EventKind, ReferenceState, ResourceState};
use segment::registry::{generation_of, shown, Word0};
use segment::status::{Error, Result, Status};
use segment::sync::Guard;

/// The outcome of an attempt to settle a request.
pub(super) enum Outcome {
    Ran(Result<()>),
    Blocked(String),
    Nothing,
}

/// A close that this thread has taken upon itself.
struct Claim {
    address: u64,
    data: u64,
    type_id: u16,
    handle: u64,
    run: Run,
}

/// Closes with the type's default arguments; otherwise as [`request`].
pub fn close_with_defaults(runtime: &Runtime, handle: u64) -> Result<()> {
    request(runtime, handle, method_of(runtime, handle)?.run())
}

/// Closes by the own method of the proxy that owns the handle, on the thread that would run any
/// other close; otherwise as [`close_with_defaults`].
pub fn close_by_proxy(runtime: &Runtime, handle: u64) -> Result<()> {
    request_of(runtime, handle, method_of(runtime, handle)?.run(), Some(handle))
}

/// Asks for a close. Runs it now if there is no obstacle; otherwise the error has the status
/// `Pending` and names the obstacle, and the last call in flight or the owner thread runs it, or it
/// is withdrawn at its deadline. Never waits.
pub fn request(runtime: &Runtime, handle: u64, run: Run) -> Result<()> {
    request_of(runtime, handle, run, None)
}

fn request_of(runtime: &Runtime, handle: u64, run: Run, proxy: Option<u64>) -> Result<()> {
    let deadline = take_deadline(runtime);
    method_of(runtime, handle)?;
    let address = enter_request(runtime, handle, (run, proxy), deadline)?;
    let outcome = settle(runtime, address);
    if deadline.is_some() && matches!(outcome, Outcome::Blocked(_)) {
        keep_deadlines(lives());
    }
    match outcome {
        Outcome::Ran(result) => result,
        Outcome::Blocked(reason) => {
            Err(Error::new(Status::Pending, format!("{reason}: close of {}", shown(handle))))
        }
        Outcome::Nothing => Err(Error::new(
            Status::Pending,
            format!("another thread closes it now: {}", shown(handle)),
        )),
    }
}

fn refuse(runtime: &Runtime, handle: u64, error: Error) -> Error {
    events::misuse(runtime, error.status, handle);
    error
}

/// Puts the request into the table and has the rows show it, from when on calls are refused.
fn enter_request(
    runtime: &Runtime,
    handle: u64,
    (run, proxy): (Run, Option<u64>),
    deadline: Option<Deadline>,
) -> Result<u64> {
    let mut inner = lives().inner.lock();
    // under the lock the row cannot leave the table, so the address is its object's
    let slot = runtime
        .table
        .slot_of(handle)
        .filter(|slot| slot.word0().generation() == generation_of(handle));
    let slot = slot.ok_or_else(|| refuse(runtime, handle, super::refusal(runtime, handle, 0)))?;
    let word = slot.word0();
    if !word.is_live() || is_over(word) {
        return Err(refuse(runtime, handle, super::refusal(runtime, handle, word.type_id())));
    }
    let address = key_of(&slot, handle);
    let entry = inner.get_mut(&address).ok_or_else(|| super::refusal(runtime, handle, 0))?;
    if entry.is_pending() {
        let who = threads::name_of(runtime, slot.requester());
        return Err(Error::new(
            Status::Pending,
            format!("its close was asked for by {who} before: {}", shown(handle)),
        ));
    }
    let change = events::change(runtime, word.type_id(), true);
    (entry.request, entry.proxy) = (Some(run), proxy);
    show_deadline(runtime, entry, handle, deadline);
    entry.withdrawn = None;
    show(runtime, entry, ResourceState::CloseRequested, Some(change));
    atomic!(AtomicU64, runtime.segment().header(), pending_closes).fetch_add(1, Ordering::Relaxed);
    drop(inner);
    events::event(runtime, EventKind::CloseRequest, word.type_id(), handle, address, 0);
    Ok(address)
}

/// Closed, or not to be used any more for another reason.
fn is_over(word: Word0) -> bool {
    [ResourceState::Closed as u8, ResourceState::Poisoned as u8].contains(&word.resource())
}

/// Runs the close of the object at `address` if one is requested and no obstacle is left.
pub(super) fn settle(runtime: &Runtime, address: u64) -> Outcome {
    if let Some(reason) = withdraw(runtime, address) {
        return Outcome::Blocked(reason);
    }
    let mut inner = lives().inner.lock();
    let Some(entry) = inner.get_mut(&address) else { return Outcome::Nothing };
    if entry.request.is_none() {
        return Outcome::Nothing;
    }
    if let Some(obstacle) = obstacle(runtime, address, entry) {
        let is_news = show_waiting(runtime, entry, &obstacle);
        let told = if is_news { told_of(entry) } else { Vec::new() };
        drop(inner);
        if let Obstacle::Owner(owner) = obstacle {
            tell(CloseNews::WaitsForOwner, &told[..told.len().min(1)], owner);
        }
        return Outcome::Blocked(obstacle.reason(runtime));
    }
    if let Some(proxy) = by_proxy::proxy_of(runtime, entry) {
        return Outcome::Ran(by_proxy::run(runtime, inner, address, proxy));
    }
    let Some(claim) = claim(runtime, address, entry) else { return Outcome::Nothing };
    drop(inner);
    Outcome::Ran(run(runtime, claim))
}

fn resource_state(runtime: &Runtime, entry: &Entry) -> Option<ResourceState> {
    let slot = runtime.table.slot_of(*entry.handles.first()?)?;
    ResourceState::from_number(slot.word0().resource())
}

/// Whether that is new.
fn show_waiting(runtime: &Runtime, entry: &Entry, obstacle: &Obstacle) -> bool {
    let (before, state) = (resource_state(runtime, entry), obstacle.state());
    if before == Some(state) {
        return false;
    }
    count_waiting(before, state);
    show(runtime, entry, state, None);
    if let Obstacle::Owner(owner) = obstacle {
        waiting::ask(*owner);
    }
    true
}

/// The request of an entry is taken back.
pub(super) fn uncount_waiting(runtime: &Runtime, entry: &Entry) {
    count_waiting(resource_state(runtime, entry), ResourceState::Open);
}

fn count_waiting(before: Option<ResourceState>, after: ResourceState) {
    if before == Some(ResourceState::WaitingOwner) {
        fast_path::remove_waiting();
    }
    if after == ResourceState::WaitingOwner {
        fast_path::add_waiting();
    }
}

fn claim(runtime: &Runtime, address: u64, entry: &mut Entry) -> Option<Claim> {
    let &handle = entry.handles.first()?;
    let type_id = runtime.table.slot_of(handle)?.word0().type_id();
    let run = entry.request.take()?;
    hide_deadline(runtime, entry);
    count_waiting(resource_state(runtime, entry), ResourceState::Closing);
    entry.is_closing = true;
    show(runtime, entry, ResourceState::Closing, None);
    Some(Claim { address, data: entry.data, type_id, handle, run })
}

/// Runs a claimed close without any lock. The object lives: while `is_closing` none of its handles
/// is released.
fn run(runtime: &Runtime, claim: Claim) -> Result<()> {
    let began = Instant::now();
    let (data, run) = (claim.data, claim.run);
    let result = catch_unwind(AssertUnwindSafe(|| run(data))).unwrap_or_else(|_| {
        recorder::runtime::count_panic();
        Err(Error::new(Status::Panic, "panic in the close method"))
    });
    let nanos = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1);
    let header = runtime.segment().header();
    atomic!(AtomicU64, header, last_close_nanos).store(nanos, Ordering::Relaxed);
    if levels::counts(runtime, claim.type_id) && result.is_ok() {
        count_one!(runtime, claim.type_id, closed);
    }
    let state = match &result {
        Ok(()) => ResourceState::Closed,
        Err(error) if error.status == Status::Poisoned => ResourceState::Poisoned,
        Err(_) => ResourceState::CloseFailed,
    };
    events::event(runtime, EventKind::Close, claim.type_id, claim.handle, claim.address, 0);
    end(runtime, claim.address, claim.type_id, state);
    result.map_err(|error| {
        Error::new(
            Status::CloseFailed,
            format!("{}: close of {}", error.message, shown(claim.handle)),
        )
    })
}

/// The request is over: the rows show how, and releases that waited for it continue.
pub(super) fn end(runtime: &Runtime, address: u64, type_id: u16, state: ResourceState) {
    let mut inner = lives().inner.lock();
    let Some(entry) = inner.get_mut(&address) else { return };
    entry.is_closing = false;
    show(runtime, entry, state, Some(events::change(runtime, type_id, false)));
    atomic!(AtomicU64, runtime.segment().header(), pending_closes).fetch_sub(1, Ordering::Relaxed);
    if entry.handles.is_empty() {
        // a foreign object whose handle was deleted meanwhile
        inner.remove(&address);
        return;
    }
    let released: Vec<u64> =
        entry.handles.iter().copied().filter(|&handle| is_released(runtime, handle)).collect();
    let told = told_of(entry);
    drop(inner);
    tell(CloseNews::Ended, &told, 0);
    released.into_iter().for_each(|handle| super::release::finish_if_idle(runtime, handle));
}

/// Takes back a request of which a proxy's method comes next; that method asks again, so no
/// listener hears of an end.
pub(super) fn reopen(runtime: &Runtime, mut inner: Guard<'_, ByKey>, address: u64) {
    let Some(entry) = inner.get_mut(&address) else { return };
    let request = entry.request.take();
    hide_deadline(runtime, entry);
    uncount_waiting(runtime, entry);
    let change = events::change(runtime, type_of(runtime, entry), false);
    show(runtime, entry, ResourceState::Open, Some(change));
    atomic!(AtomicU64, runtime.segment().header(), pending_closes).fetch_sub(1, Ordering::Relaxed);
    let released: Vec<u64> =
        entry.handles.iter().copied().filter(|&handle| is_released(runtime, handle)).collect();
    drop(inner);
    drop(request);
    released.into_iter().for_each(|handle| super::release::finish_if_idle(runtime, handle));
}

fn is_released(runtime: &Runtime, handle: u64) -> bool {
    runtime
        .table
        .slot_of(handle)
        .is_some_and(|slot| slot.word0().reference() == ReferenceState::ReleaseRequested as u8)
}

/// Takes back a request that no thread runs yet; the resource is open again.
pub fn cancel(runtime: &Runtime, handle: u64) -> Result<()> {
    let mut inner = lives().inner.lock();
    let slot = runtime
        .table
        .slot_of(handle)
        .filter(|slot| slot.word0().generation() == generation_of(handle));
    let slot = slot.ok_or_else(|| super::refusal(runtime, handle, 0))?;
    let (address, type_id) = (key_of(&slot, handle), slot.word0().type_id());
    let entry = inner.get_mut(&address).filter(|entry| entry.is_pending());
    let entry = entry.ok_or_else(|| {
        Error::new(Status::BadArgument, format!("no close of it is pending: {}", shown(handle)))
    })?;
    let Some(request) = entry.request.take() else {
        return Err(Error::new(
            Status::CloseRefused,
            format!("its close runs already: {}", shown(handle)),
        ));
    };
    hide_deadline(runtime, entry);
    entry.withdrawn = Some("taken back before it ran".to_owned());
    // until its rows show it, no thread may release the last handle or begin another close
    entry.is_closing = true;
    uncount_waiting(runtime, entry);
    drop(inner);
    end(runtime, address, type_id, ResourceState::Open);
    drop(request);
    Ok(())
}

/// The outcome that a close would have now: `Ok`, or `Pending`, `Closed` or another status with the
/// reason.
pub fn preview(runtime: &Runtime, handle: u64) -> Result<()> {
    method_of(runtime, handle)?;
    withdraw_if_due(runtime, handle);
    let inner = lives().inner.lock();
    let slot = runtime.table.slot_of(handle).ok_or_else(|| super::refusal(runtime, handle, 0))?;
    let word = slot.word0();
    if is_over(word) {
        return Err(super::refusal(runtime, handle, word.type_id()));
    }
    let address = key_of(&slot, handle);
    let entry = inner.get(&address).ok_or_else(|| super::refusal(runtime, handle, 0))?;
    match obstacle(runtime, address, entry) {
        Some(obstacle) => Err(Error::new(Status::Pending, obstacle.reason(runtime))),
        None if entry.is_closing => Err(Error::new(Status::Pending, "its close runs now")),
        None => Ok(()),
    }
}

/// A safe point: runs the closes that wait for the calling thread, and closes whose owner has
/// ended. Returns how many ran.
pub fn drain_here() -> usize {
    let Some(runtime) = recorder::runtime::existing() else { return 0 };
    if !waiting::is_asked() {
        return 0;
    }
    settle_where(runtime, |owner| owner == threads::here() || !threads::is_alive(runtime, owner))
}

/// An owner thread has ended before a safe point: the thread that reports the end runs its closes.
pub fn owner_ended(runtime: &Runtime, index: u16) {
    settle_where(runtime, |owner| owner == index);
}

fn settle_where(runtime: &Runtime, mut is_ours: impl FnMut(u16) -> bool) -> usize {
    let inner = lives().inner.lock();
    let mut ours = |entry: &Entry| entry.request.is_some() && is_ours(owner_of(runtime, entry));
    let waiting: Vec<u64> =
        inner.iter().filter(|(_, entry)| ours(entry)).map(|(&address, _)| address).collect();
    drop(inner);
    waiting
        .into_iter()
        .filter(|&address| matches!(settle(runtime, address), Outcome::Ran(_)))
        .count()
}
