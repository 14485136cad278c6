//! This process as the control socket and the sampler see it.

use std::sync::atomic::{AtomicU32, AtomicU64, AtomicU8, Ordering};
use std::sync::Arc;
use std::time::Duration;

use control::wire::Fields;
use control::{CloseAnswer, CloseWish, Identity, Stay, Target, Totals};
use objects::edges;
use objects::lifecycle::{self, Child};
use objects::ownership;
use recorder::levels;
use recorder::runtime::Runtime;
use recorder::threads::{self, pins_of};
use recorder::types;
use sampler::{Sampled, Sampler};
use segment::atomic;
use segment::clock;
use segment::layout::{Kind, Level, AS_THE_PROCESS, FOREIGN_BIT, TYPE_SHARDS};
use segment::registry::{generation_of, shown};
use segment::status::{Error, Result, Status};
use segment::Part;

/// The process.
pub struct Served {
    runtime: &'static Runtime,
    sampler: Arc<Sampler>,
}

/// The table, for the sampler.
struct Watched(&'static Runtime);

impl Served {
    /// The process with its sampler's thread.
    pub fn start(runtime: &'static Runtime) -> Result<Arc<Self>> {
        let sampler = Arc::new(Sampler::start(Arc::new(Watched(runtime)))?);
        Ok(Arc::new(Self { runtime, sampler }))
    }

    /// The sampler.
    pub fn sampler(&self) -> Arc<Sampler> {
        Arc::clone(&self.sampler)
    }

    fn add(&self, counter: &AtomicU64, amount: u64) {
        counter.fetch_add(amount, Ordering::Relaxed);
    }

    /// Whether the row belongs to an adapter, which then has to answer for it.
    fn is_adapters(&self, handle: u64) -> bool {
        let slot = self.runtime.table.slot_of(handle).map(|slot| slot.word0());
        slot.is_some_and(|word| {
            let is_ours = self.runtime.types.is_own(word.type_id())
                || lifecycle::closes(self.runtime, word.type_id());
            word.generation() == generation_of(handle) && !is_ours
        })
    }

    /// Other holders of the object: handles, calls in flight, objects that need it, and references
    /// of unknown origin. A closed object that needed it no longer counts as a holder.
    fn holders(&self, handle: u64, children: &[Child]) -> Vec<String> {
        if handle & FOREIGN_BIT != 0 {
            let callers = lifecycle::callers(handle);
            return callers
                .into_iter()
                .map(|thread| format!("call of {}", threads::name_of(self.runtime, thread)))
                .collect();
        }
        let Some(slot) = self.runtime.table.slot_of(handle) else { return Vec::new() };
        let address = slot.address();
        let others = self.handles_of(address, handle);
        let mut holders: Vec<String> =
            others.iter().map(|&other| format!("handle {}", shown(other))).collect();
        pins_of(self.runtime, |thread, pinned| {
            if self.runtime.table.slot_of(pinned).is_some_and(|slot| slot.address() == address) {
                holders.push(format!("call of {}", threads::name_of(self.runtime, thread)));
            }
        });
        let strong = ownership::strong_and_weak(handle).map_or(0, |(strong, _)| strong);
        holders.extend(
            children
                .iter()
                .filter(|child| child.is_open)
                .map(|child| format!("{}, to be closed first", child.name)),
        );
        match strong.saturating_sub((others.len() + children.len()) as u64 + 1) {
            0 => {}
            1 => holders.push("1 native reference".to_owned()),
            more => holders.push(format!("{more} native references")),
        }
        holders
    }

    fn handles_of(&self, address: u64, but: u64) -> Vec<u64> {
        let mut found = Vec::new();
        for index in 1..self.runtime.segment().used(Part::Handles) {
            let Some(slot) = self.runtime.table.slot(index) else { continue };
            let word = slot.word0();
            let handle = segment::registry::handle_of(word.generation(), index, false);
            if word.is_live() && slot.address() == address && handle != but {
                found.push(handle);
            }
        }
        found
    }

    fn answer(&self, handle: u64, result: Result<()>, done: &str) -> CloseAnswer {
        let children = lifecycle::children(self.runtime, handle);
        let mut answer = match result {
            Ok(()) => CloseAnswer::new(handle, done, ""),
            Err(Error { status: Status::Pending, message }) => {
                CloseAnswer::new(handle, "pending", message)
            }
            Err(Error { status: Status::CloseFailed, message }) => {
                CloseAnswer::new(handle, "failed", message)
            }
            Err(Error { message, .. }) => CloseAnswer::new(handle, "refused", message),
        };
        answer.holders = self.holders(handle, &children);
        answer.first =
            children.iter().filter(|child| child.is_open).map(|child| child.handle).collect();
        if answer.reason.is_empty() {
            answer.reason = lifecycle::handover(self.runtime, handle).unwrap_or_default();
        }
        answer
    }
}

impl Target for Served {
    fn identity(&self) -> Identity {
        let header = self.runtime.segment().header();
        Identity {
            pid: atomic!(AtomicU32, header, pid).load(Ordering::Relaxed),
            start_time: atomic!(AtomicU64, header, start_time).load(Ordering::Relaxed),
        }
    }

    fn level(&self) -> u8 {
        levels::level(self.runtime)
    }

    fn idle_level(&self) -> u8 {
        atomic!(AtomicU8, self.runtime.segment().header(), idle_level).load(Ordering::Relaxed)
    }

    fn set_level(&self, level: u8) {
        levels::set_level(self.runtime, level);
    }

    fn stay(&self) -> Stay {
        super::stay()
    }

    fn set_viewers(&self, count: u32, interval: Option<Duration>) {
        atomic!(AtomicU32, self.runtime.segment().header(), viewers)
            .store(count, Ordering::Relaxed);
        if count == 0 {
            levels::reset_type_levels(self.runtime);
        }
        self.sampler.set_interval(interval);
    }

    fn set_type_level(&self, type_id: u16, level: u8) -> bool {
        (level <= Level::Stacks as u8 || level == AS_THE_PROCESS)
            && levels::set_type_level(self.runtime, type_id, level)
    }

    fn holders(&self, handle: u64) -> Fields {
        edges::holders(self.runtime, handle)
    }

    fn collects(&self) -> bool {
        super::collecting().is_some()
    }

    fn collect(&self) -> std::result::Result<(), String> {
        super::collecting().map_or_else(
            || Err("nothing in the process collects garbage".to_owned()),
            |collect| collect(),
        )
    }

    fn leave(&self) -> bool {
        let leaving = platform::threads::spawn(
            "ai-leaving",
            platform::threads::OWN_STACK_BYTES,
            super::leave,
        );
        leaving.is_ok()
    }

    fn interpreter_answered(&self) {
        atomic!(AtomicU64, self.runtime.segment().header(), interpreter_ticks)
            .store(clock::ticks(), Ordering::Relaxed);
    }

    fn may_have_interpreter(&self) -> bool {
        platform::has_python()
    }

    fn count_drop(&self) {
        self.add(atomic!(AtomicU64, self.runtime.segment().header(), lost.control_drops), 1);
    }

    fn count_panic(&self) {
        self.add(atomic!(AtomicU64, self.runtime.segment().header(), lost.panics), 1);
    }

    fn count_lost_descriptors(&self, count: u64) {
        self.add(atomic!(AtomicU64, self.runtime.segment().header(), lost.descriptors), count);
    }

    fn add_cpu(&self, nanos: u64) {
        self.add(atomic!(AtomicU64, self.runtime.segment().header(), agent_cpu_nanos), nanos);
    }

    fn totals(&self) -> Totals {
        let (mut released, mut closed) = (0, 0);
        for index in 1..self.runtime.segment().used(Part::Types) {
            let slot = self.runtime.segment().type_slot(index);
            for shard in 0..TYPE_SHARDS {
                released +=
                    atomic!(AtomicU64, slot, shards[shard].released).load(Ordering::Relaxed);
                closed += atomic!(AtomicU64, slot, shards[shard].closed).load(Ordering::Relaxed);
            }
        }
        let pending = atomic!(AtomicU64, self.runtime.segment().header(), pending_closes)
            .load(Ordering::Relaxed);
        Totals { released, closed, pending }
    }

    fn preview(&self, handle: u64) -> Option<CloseAnswer> {
        if self.is_adapters(handle) {
            return None;
        }
        Some(self.answer(handle, lifecycle::preview(self.runtime, handle), "would_close"))
    }

    fn close(&self, handle: u64, wish: CloseWish) -> Option<CloseAnswer> {
        if self.is_adapters(handle) {
            return None;
        }
        let children = lifecycle::children(self.runtime, handle);
        let holders = self.holders(handle, &children);
        if !wish.although_held
            && !holders.is_empty()
            && lifecycle::preview(self.runtime, handle).is_ok()
        {
            let reason = format!("still held by {}", holders.join(", "));
            let first =
                children.iter().filter(|child| child.is_open).map(|child| child.handle).collect();
            return Some(CloseAnswer {
                holders,
                first,
                ..CloseAnswer::new(handle, "refused", reason)
            });
        }
        let millis = wish
            .withdraw_after
            .map_or(0, |after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX).max(1));
        lifecycle::set_deadline(millis);
        let by_proxy = lifecycle::has_method(handle);
        let close =
            if by_proxy { lifecycle::close_by_proxy } else { lifecycle::close_with_defaults };
        let closed = close(self.runtime, handle);
        // a close that was refused before it was a request has not taken it
        lifecycle::set_deadline(0);
        Some(self.answer(handle, closed, "closed"))
    }

    fn cancel(&self, handle: u64) -> std::result::Result<(), String> {
        lifecycle::cancel(self.runtime, handle).map_err(|error| error.message)
    }

    fn drain(&self) -> usize {
        lifecycle::drain_here()
    }
}

impl Sampled for Watched {
    fn used(&self) -> u32 {
        self.0.segment().used(Part::Handles)
    }

    fn words(&self, index: u32) -> &[AtomicU64; 8] {
        self.0.segment().handle(index)
    }

    fn kind(&self, type_id: u16) -> u8 {
        if type_id == 0 || u32::from(type_id) >= self.0.segment().used(Part::Types) {
            return 0;
        }
        types::kind_of(self.0, type_id)
    }

    fn outer_bytes(&self, type_id: u16) -> u64 {
        if self.kind(type_id) != Kind::UniffiTrait as u8 {
            return 0;
        }
        atomic!(AtomicU64, self.0.segment().type_slot(u32::from(type_id)), data_offset)
            .load(Ordering::Relaxed)
    }

    fn heartbeat(&self) {
        atomic!(AtomicU64, self.0.segment().header(), heartbeat_ticks)
            .store(clock::ticks(), Ordering::Relaxed);
    }

    fn add_cpu(&self, nanos: u64) {
        atomic!(AtomicU64, self.0.segment().header(), agent_cpu_nanos)
            .fetch_add(nanos, Ordering::Relaxed);
    }

    fn sampled(&self, took: Duration) {
        let header = self.0.segment().header();
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        atomic!(AtomicU64, header, sample_nanos).store(nanos, Ordering::Relaxed);
        atomic!(AtomicU64, header, sampled_at_ticks).store(clock::ticks(), Ordering::Relaxed);
        // the longer the baseline, the truer the rate
        atomic!(AtomicU64, header, ticks_per_sec).store(self.0.anchor.rate(), Ordering::Relaxed);
    }

    fn count_unreadable(&self, rows: u64) {
        atomic!(AtomicU64, self.0.segment().header(), lost.unreadable)
            .fetch_add(rows, Ordering::Relaxed);
    }

    fn count_skip(&self) {
        atomic!(AtomicU64, self.0.segment().header(), lost.sampler_skips)
            .fetch_add(1, Ordering::Relaxed);
    }
}
