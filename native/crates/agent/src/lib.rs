//! Starts and stops the recording: names the segment, opens the control socket, starts the sampler.

mod control_target;
pub mod left;
mod publish;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicU8, Ordering};
use std::sync::Arc;
use std::time::Duration;

use control::Stay;
use objects::lifecycle;
use platform::descriptors::{Descriptor, Table};
use recorder::fork::{Rank, Section};
use recorder::levels;
use recorder::rescue;
use recorder::runtime::{existing, runtime_in, Runtime};
use sampler::Sampler;
use segment::atomic;
use segment::clock;
use segment::layout::{Ending, GcRecord, Level, GC_LOG};
use segment::status::{Error, Result, Status};
use segment::sync::{Guard, Lock};
use segment::write_text;

use control_target::Served;

/// How the agent is started.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// `Level` to begin with.
    pub level: u8,
    /// `Level` to return to without viewers.
    pub idle_level: u8,
    /// The program and its arguments: `python app.py`.
    pub program: &'a str,
    /// Runtime and version: `CPython 3.11.7`.
    pub runtime: &'a str,
    /// Directory of the segment; None: the default directory.
    pub directory: Option<&'a Path>,
    /// How the agent came here, and when it leaves.
    pub stay: Stay,
}

struct Agent {
    sampler: Arc<Sampler>,
    segment: PathBuf,
    /// The segment's file, in the agent's table.
    _file: Descriptor,
}

struct State {
    agent: Option<Agent>,
    /// Directory of the parent's segment at the time of the fork; None: the parent had no agent.
    inherited: Option<PathBuf>,
}

static STATE: Lock<State> = Lock::new(State { agent: None, inherited: None });

static STAY: Lock<Stay> = Lock::new(Stay { is_brought: false, leaves_after: None });

/// Has the host of the program collect garbage; an error is one line.
pub type Collect = fn() -> std::result::Result<(), String>;

/// The way to have garbage collected.
static COLLECTING: Lock<Option<Collect>> = Lock::new(None);

/// Runs before an agent leaves at a viewer's wish.
static LEAVING: Lock<Option<fn()>> = Lock::new(None);

static SECTION: Section = Section::new(Rank::Agent, hold, release, after_fork);

fn state() -> Guard<'static, State> {
    SECTION.join();
    STATE.lock()
}

fn stay_here() -> Guard<'static, Stay> {
    SECTION.join();
    STAY.lock()
}

/// How the agent came here, and when it leaves.
pub fn stay() -> Stay {
    *stay_here()
}

/// The program wants the agent as well: it stays until the program stops it.
pub fn keep() {
    *stay_here() = Stay::default();
}

/// Publishes the segment and starts the threads; does nothing while they run. The level is set
/// before any viewer can find the segment.
pub fn start(options: &Options<'_>) -> Result<()> {
    let runtime = runtime_in(options.directory);
    let header = runtime.segment().header();
    // SAFETY: the header lies in the mapping; only addresses of its fields are taken.
    unsafe {
        write_text(std::ptr::addr_of_mut!((*header).program), options.program);
        write_text(std::ptr::addr_of_mut!((*header).runtime), options.runtime);
    }
    atomic!(AtomicU8, header, idle_level)
        .store(options.idle_level.min(Level::Stacks as u8), Ordering::Relaxed);
    *stay_here() = options.stay;
    let before = levels::level(runtime);
    levels::set_level(runtime, options.level);
    start_threads(runtime, options.directory).inspect_err(|_| levels::set_level(runtime, before))
}

fn start_threads(runtime: &'static Runtime, directory: Option<&Path>) -> Result<()> {
    let mut state = self::state();
    if state.agent.is_some() {
        return Ok(());
    }
    let header = runtime.segment().header();
    atomic!(AtomicU64, header, ticks_per_sec).store(runtime.anchor.rate(), Ordering::Relaxed);
    atomic!(AtomicU8, header, ending).store(Ending::NotYet as u8, Ordering::Relaxed);
    atomic!(AtomicU64, header, ended_at_ticks).store(0, Ordering::Relaxed);
    atomic!(AtomicU64, header, heartbeat_ticks).store(clock::ticks(), Ordering::Relaxed);
    let table = Table::open();
    rescue::watch();
    let (segment, file) =
        publish::publish(runtime, directory, &table).inspect_err(|_| rescue::unwatch())?;
    let served = Served::start(runtime).and_then(|served| {
        control::start(
            &segment.with_extension("sock"),
            Arc::clone(&served) as Arc<dyn control::Target>,
            table,
        )?;
        Ok(served)
    });
    let served = served.inspect_err(|_| {
        publish::withdraw(runtime);
        rescue::unwatch();
    })?;
    state.agent = Some(Agent { sampler: served.sampler(), segment, _file: file });
    Ok(())
}

/// Ends the threads and hides the segment; handles continue to work. Does nothing when they do not
/// run.
pub fn stop() {
    let Some(runtime) = existing() else { return };
    let agent = state().agent.take();
    let Some(agent) = agent else { return };
    levels::set_level(runtime, Level::Off as u8);
    control::stop();
    agent.sampler.stop();
    say_ended(runtime, Ending::Stopped);
    publish::withdraw(runtime);
    left::unmap_left();
    let _state = state();
    rescue::unwatch();
}

/// Has `body` run before the agent leaves because a viewer takes it out of a process without an
/// interpreter.
pub fn on_leaving(body: fn()) {
    *LEAVING.lock() = Some(body);
}

/// Has `body` run when a viewer asks for a collection, in a process without an interpreter.
pub fn on_collecting(body: Collect) {
    *COLLECTING.lock() = Some(body);
}

fn collecting() -> Option<Collect> {
    *COLLECTING.lock()
}

/// A viewer takes the agent out. On a thread of its own.
fn leave() {
    // copied, so that the lock is not held
    let body = *LEAVING.lock();
    if let Some(body) = body {
        body();
    }
    stop();
}

/// The process ends: marks the segment, removes the files and ends the interpreter's worker. Waits
/// for no thread.
pub fn exit() {
    let Some(runtime) = existing() else { return };
    if is_running() {
        say_ended(runtime, Ending::Exited);
        if let Some(control) = control::running() {
            control.exit();
        }
    }
    publish::remove();
}

fn say_ended(runtime: &Runtime, ending: Ending) {
    let header = runtime.segment().header();
    atomic!(AtomicU64, header, ended_at_ticks).store(clock::ticks(), Ordering::Relaxed);
    // Release: an ending that is seen has its time
    atomic!(AtomicU8, header, ending).store(ending as u8, Ordering::Release);
}

/// Tells viewers of this directory that this process is not recorded, and gives the reason.
pub fn say_unrecorded(reason: &str) {
    if let Some(runtime) = existing() {
        levels::set_level(runtime, Level::Off as u8);
        publish::note(runtime, reason);
        let _state = state();
        rescue::unwatch();
    }
}

/// Whether the agent runs.
pub fn is_running() -> bool {
    STATE.lock().agent.is_some()
}

/// Whether a viewer is attached.
pub fn has_viewers() -> bool {
    existing().is_some_and(|runtime| {
        atomic!(AtomicU32, runtime.segment().header(), viewers).load(Ordering::Relaxed) > 0
    })
}

/// Has the counts of all live objects read now. Whether that was done in time.
pub fn sample_now(patience: Duration) -> bool {
    // the lock is not held while the pass is made
    let sampler = STATE.lock().agent.as_ref().map(|agent| Arc::clone(&agent.sampler));
    sampler.is_some_and(|sampler| sampler.sample_now(patience))
}

/// Path of the segment, while the agent runs.
pub fn segment_path() -> Option<PathBuf> {
    STATE.lock().agent.as_ref().map(|agent| agent.segment.clone())
}

/// Starts the agent in a forked child if the parent ran it; otherwise does nothing.
pub fn start_in_child() -> Result<()> {
    let Some(runtime) = existing() else { return Ok(()) };
    lifecycle::keep_inherited_deadlines(runtime);
    let inherited = state().inherited.take();
    inherited.map_or(Ok(()), |directory| start_threads(runtime, Some(&directory)))
}

/// Holds the agent's state across a fork.
fn hold() {
    STATE.hold();
    STAY.hold();
    LEAVING.hold();
    COLLECTING.hold();
}

/// Unlocks it.
///
/// # Safety
/// Held by `hold` before.
unsafe fn release() {
    // SAFETY: the caller's promise.
    unsafe {
        COLLECTING.let_go();
        LEAVING.let_go();
        STAY.let_go();
        STATE.let_go();
    }
}

/// In a forked child: the threads are not there, the name is the parent's.
fn after_fork(runtime: &Runtime) {
    let mut state = self::state();
    let agent = state.agent.take();
    state.inherited = agent.as_ref().and_then(|agent| agent.segment.parent()).map(Path::to_owned);
    drop(state);
    if let Some(agent) = agent {
        // its thread does not exist here: not to be joined
        std::mem::forget(agent);
        // as without viewers: the parent's viewers look at the parent
        let idle =
            atomic!(AtomicU8, runtime.segment().header(), idle_level).load(Ordering::Relaxed);
        levels::set_level(runtime, idle);
    }
    // SAFETY: this is a forked child, where only the calling thread runs.
    unsafe { control::after_fork() };
}

/// Logs a collection of the host language. One thread at a time: the interpreter's lock ensures it.
pub fn log_collection(runtime: &Runtime, record: &GcRecord) {
    let header = runtime.segment().header();
    let logged = atomic!(AtomicU64, header, gc_logged);
    let number = logged.load(Ordering::Relaxed);
    let at = (number % GC_LOG as u64) as usize;
    let place = header;
    atomic!(AtomicU64, place, gc_log[at].at_ticks).store(record.at_ticks, Ordering::Relaxed);
    atomic!(AtomicU64, place, gc_log[at].took_nanos).store(record.took_nanos, Ordering::Relaxed);
    let counts = u64::from(record.collected)
        | u64::from(record.generation) << 32
        | u64::from(record.forced) << 48;
    // SAFETY: the three fields are one aligned word of the record, which lies in the mapping.
    let word = unsafe {
        AtomicU64::from_ptr(std::ptr::addr_of_mut!((*header).gc_log[at].collected).cast())
    };
    word.store(counts, Ordering::Relaxed);
    // Release: a collection that is counted is whole
    logged.store(number + 1, Ordering::Release);
}

/// No agent, no path.
pub fn not_running() -> Error {
    Error::new(Status::NotRunning, "the agent does not run")
}
