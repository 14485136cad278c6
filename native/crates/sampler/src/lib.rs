//! Reads the counts of live objects, on a thread of its own that needs no interpreter.
//!
//! Without a viewer the thread makes a pass every few seconds, so that the segment of a killed
//! process has counts. With a viewer it wakes at the viewer's rate, signs that the process lives,
//! and, as often as its share of a core allows, reads `{strong, weak}` of every row whose objects
//! are counted in their allocation.

mod census;
mod pass;
mod resting;
mod store;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use platform::threads;
use segment::status::{Error, Result};
use segment::sync::lock;

pub use pass::Pass;
pub use resting::{Resting, Sample, BUSY_PASSES, STILL_PASSES, WINDOW_PASSES};

/// Share of a core that passes may use on average.
const CORE_SHARE: f64 = 0.03;
/// The same without a viewer, and the pause that is kept at least.
const UNSEEN_CORE_SHARE: f64 = 0.001;
const UNSEEN_INTERVAL: Duration = Duration::from_secs(3);

/// The table that is sampled, which also takes the sampler's reports. Called from the sampler's
/// thread.
pub trait Sampled: Send + Sync {
    /// Rows below this were used at some time.
    fn used(&self) -> u32;

    /// The words of row `index`, which is below `used`.
    fn words(&self, index: u32) -> &[AtomicU64; 8];

    /// `Kind` of a type, 0 when there is no such type.
    fn kind(&self, type_id: u16) -> u8;

    /// Bytes from the start of an `Arc` around the object's to the target of the row's `data`; 0:
    /// the type's handles point into no such `Arc`.
    fn outer_bytes(&self, _type_id: u16) -> u64 {
        0
    }

    /// The process lives, now.
    fn heartbeat(&self);

    /// A thread of the tool used so much more CPU time.
    fn add_cpu(&self, nanos: u64);

    /// A pass ended now that took so long.
    fn sampled(&self, took: Duration);

    /// So many rows could not be read that could be before.
    fn count_unreadable(&self, rows: u64);

    /// It was time for a pass, and the share of the core was used up.
    fn count_skip(&self);
}

#[derive(Default)]
struct Plan {
    /// `None`: no viewer.
    interval: Option<Duration>,
    /// Times that the first viewer came or the last viewer left.
    sessions: u64,
    /// Passes that were asked for by `sample_now`, and how many of these were made.
    wanted: u64,
    made: u64,
    is_stopped: bool,
}

/// When the thread woke, and in which session.
#[derive(Clone, Copy)]
struct Turn {
    at: Instant,
    session: u64,
    is_seen: bool,
    /// `wanted` of the plan, if a pass was asked for that was not made yet.
    asked: Option<u64>,
}

/// The sampler's thread, from outside.
pub struct Sampler {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    plan: Mutex<Plan>,
    changed: Condvar,
    table: Arc<dyn Sampled>,
    /// Pause between two passes without a viewer.
    rest: Duration,
}

impl Sampler {
    /// Start the thread, without a viewer until `set_interval`.
    ///
    /// # Errors
    /// The system's, when it gives no thread.
    pub fn start(table: Arc<dyn Sampled>) -> Result<Self> {
        Self::start_with_rest(table, UNSEEN_INTERVAL)
    }

    /// As `start`, with another pause between two passes without a viewer.
    ///
    /// # Errors
    /// As `start`.
    pub fn start_with_rest(table: Arc<dyn Sampled>, rest: Duration) -> Result<Self> {
        let shared =
            Arc::new(Shared { plan: Mutex::default(), changed: Condvar::new(), table, rest });
        let served = Arc::clone(&shared);
        let thread = threads::spawn("ai-sampler", threads::OWN_STACK_BYTES, move || served.serve())
            .map_err(|error| Error::io("the sampler's thread", &error))?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// Sample this often from now on; `None`: no viewer, so seldom.
    ///
    /// A new session begins with the first viewer, and after the last: a count at rest in the
    /// session before says nothing about now.
    pub fn set_interval(&self, interval: Option<Duration>) {
        let mut plan = self.shared.plan();
        plan.sessions += u64::from(plan.interval.is_none() != interval.is_none());
        plan.interval = interval;
        drop(plan);
        self.shared.changed.notify_all();
    }

    /// Have a pass made at once that knows nothing of earlier passes, and wait for it. Whether it
    /// was made in time. Not from the sampler's thread.
    pub fn sample_now(&self, patience: Duration) -> bool {
        let mut plan = self.shared.plan();
        plan.wanted += 1;
        let wanted = plan.wanted;
        self.shared.changed.notify_all();
        let is_missing = |plan: &mut Plan| plan.made < wanted && !plan.is_stopped;
        let waited = self.shared.changed.wait_timeout_while(plan, patience, is_missing);
        waited.unwrap_or_else(PoisonError::into_inner).0.made >= wanted
    }

    /// End the thread and wait for it. Does nothing when it has ended.
    pub fn stop(&self) {
        self.shared.plan().is_stopped = true;
        self.shared.changed.notify_all();
        let thread = lock(&self.thread).take();
        if let Some(thread) = thread {
            // A panic has ended it as well.
            let _ = thread.join();
        }
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn plan(&self) -> MutexGuard<'_, Plan> {
        lock(&self.plan)
    }

    /// Whether a pass continues: a new viewer does not wait for the end of a pass without viewers.
    fn goes_on(&self, session: u64) -> bool {
        let plan = self.plan();
        !plan.is_stopped && plan.sessions == session
    }

    fn serve(&self) {
        let mut turns = Turns::new(self);
        let began = Turn { at: Instant::now(), session: 0, is_seen: false, asked: None };
        let mut last = None;
        while let Some(turn) = self.wait_for_turn(last, began) {
            last = Some(turn);
            turns.enter(turn.session);
            turns.turn(&turn);
            if let Some(asked) = turn.asked {
                self.plan().made = asked;
                self.changed.notify_all();
            }
        }
    }

    /// Wait until the interval since the session's last turn is over. `None`: the end.
    fn wait_for_turn(&self, last: Option<Turn>, began: Turn) -> Option<Turn> {
        let mut plan = self.plan();
        loop {
            if plan.is_stopped {
                return None;
            }
            let now = Instant::now();
            let (interval, is_seen) =
                plan.interval.map_or((self.rest, false), |interval| (interval, true));
            // a new viewer does not wait
            let last = last
                .filter(|turn| turn.session == plan.sessions || !is_seen)
                .or((!is_seen).then_some(began));
            let left = last
                .map_or(Duration::ZERO, |turn| (turn.at + interval).saturating_duration_since(now));
            let asked = (plan.wanted > plan.made).then_some(plan.wanted);
            if left.is_zero() || asked.is_some() {
                return Some(Turn { at: now, session: plan.sessions, is_seen, asked });
            }
            plan = self.changed.wait_timeout(plan, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// The thread's memory from turn to turn.
struct Turns<'a> {
    shared: &'a Shared,
    session: u64,
    pass: Pass,
    cpu_nanos: u64,
    /// Before this the share of the core is used up.
    rest_until: Option<Instant>,
}

impl<'a> Turns<'a> {
    fn new(shared: &'a Shared) -> Self {
        Self { shared, session: 0, pass: Pass::new(), cpu_nanos: 0, rest_until: None }
    }

    /// Forgets the samples of another session. The first pass of a session is made at once, even if
    /// the last session used up the share of the core.
    fn enter(&mut self, session: u64) {
        if std::mem::replace(&mut self.session, session) != session {
            (self.pass, self.rest_until) = (Pass::new(), None);
        }
    }

    fn turn(&mut self, turn: &Turn) {
        let table = &*self.shared.table;
        table.heartbeat();
        if turn.asked.is_some() {
            (self.pass, self.rest_until) = (Pass::new(), None);
        }
        let is_rested = self.rest_until.is_none_or(|until| turn.at >= until);
        if is_rested {
            self.pass(turn);
        } else if turn.is_seen {
            table.count_skip();
        }
        let used = self.used_nanos();
        table.add_cpu(used);
        if is_rested {
            let share = if turn.is_seen { CORE_SHARE } else { UNSEEN_CORE_SHARE };
            self.rest_until = Some(turn.at + Duration::from_nanos((used as f64 / share) as u64));
        }
    }

    fn pass(&mut self, turn: &Turn) {
        let shared = self.shared;
        let unreadable = self.pass.run(&*shared.table, || {
            shared.table.heartbeat();
            shared.goes_on(turn.session)
        });
        shared.table.count_unreadable(unreadable);
        if shared.goes_on(turn.session) {
            shared.table.sampled(turn.at.elapsed());
        }
    }

    /// CPU time since the last call.
    fn used_nanos(&mut self) -> u64 {
        let now = platform::thread_cpu_nanos();
        now - std::mem::replace(&mut self.cpu_nanos, now)
    }
}
