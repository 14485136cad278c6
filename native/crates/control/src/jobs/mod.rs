//! Work for the interpreter: jobs that a thread of the interpreter fetches, does and answers.
//!
//! The control thread queues and never waits. A job whose viewer has given up is dropped when it
//! would be handed out, so a delayed worker does no outdated work.

mod answer;
mod queue;

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::peer::Origin;
use crate::target::Target;
use crate::wire::{self, Fields};
use segment::sync::lock;

pub use answer::add_totals;
use answer::finish;
use queue::{Job, State};

pub use answer::Finish;

/// How often the interpreter is asked whether it is there.
const BEAT_INTERVAL: Duration = Duration::from_millis(250);

/// How long a worker may take to ask for its first job, in a process where no interpreter is seen.
const FIRST_WORKER_PATIENCE: Duration = Duration::from_secs(1);
/// Why a job was refused in a process whose agent has no worker.
const NO_WORKER: &str = "this agent has no part within an interpreter: it can ask none to collect garbage, or about proxies";

/// The worker's next step.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// A job, as JSON.
    Job(Vec<u8>),
    /// None came in time.
    Nothing,
    /// The agent stops; none will come.
    Stopped,
}

/// The queue between the control thread and the interpreter's worker.
pub struct Jobs {
    state: Mutex<State>,
    arrived: Condvar,
    target: Arc<dyn Target>,
    began: Instant,
}

impl Jobs {
    /// An empty queue.
    pub fn new(target: Arc<dyn Target>) -> Self {
        let state = Mutex::new(State::default());
        Self { state, arrived: Condvar::new(), target, began: Instant::now() }
    }

    /// Queue a job for a viewer; when the queue is full, it is refused.
    pub fn push(&self, op: &'static str, fields: Fields, origin: Origin, finish: Finish) {
        let mut state = lock(&self.state);
        if state.has_none {
            drop(state);
            return origin.fail("Unavailable", NO_WORKER);
        }
        let refusal = state.refusal();
        if let Some(why) = refusal {
            drop(state);
            self.target.count_drop();
            return origin.fail("TableFull", &why);
        }
        state.add(op, fields, Some(origin), finish);
        drop(state);
        self.arrived.notify_one();
    }

    /// Look again whose answers can be taken.
    pub fn wake(&self) {
        self.arrived.notify_all();
    }

    /// Ask the interpreter for a sign of life when it is time and none is on its way. Called while
    /// a viewer is connected.
    pub fn beat(&self, now: Instant) {
        let mut state = lock(&self.state);
        let is_asked = state
            .waiting
            .iter()
            .chain(&state.running)
            .any(|job| matches!(job.finish, Finish::Beat));
        let is_time =
            state.last_beat.is_none_or(|last| now.saturating_duration_since(last) >= BEAT_INTERVAL);
        if is_time && !is_asked && !state.is_stopped && !state.has_none {
            state.last_beat = Some(now);
            state.add("beat", Fields::new(), None, Finish::Beat);
            drop(state);
            self.arrived.notify_one();
        }
    }

    /// No viewer uses the agent any more: have the worker take it out, unless such a job waits
    /// already.
    pub fn leave(&self) {
        let mut state = lock(&self.state);
        if !state.waiting.iter().any(Job::is_leaving) && !state.is_stopped {
            state.add("detach", Fields::new(), None, Finish::Pass);
            drop(state);
            self.arrived.notify_one();
        }
    }

    /// A viewer connected before the worker took the job: withdraw it.
    pub fn stay(&self) {
        lock(&self.state).waiting.retain(|job| !job.is_leaving());
    }

    /// Answer the waiting jobs whose viewers have given up, without the interpreter.
    pub fn drop_given_up(&self) {
        lock(&self.state).waiting.retain(|job| !self.is_given_up(job));
    }

    /// Refuse the waiting jobs once it is clear that no worker will ever fetch them: none has come,
    /// and the process has no interpreter.
    pub fn refuse_without_worker(&self, now: Instant) {
        let mut state = lock(&self.state);
        let is_time = now.saturating_duration_since(self.began) >= FIRST_WORKER_PATIENCE;
        if state.has_none
            || state.answered.is_some()
            || !is_time
            || self.target.may_have_interpreter()
        {
            return;
        }
        state.has_none = true;
        let left: Vec<Job> = state.waiting.drain(..).collect();
        drop(state);
        for origin in left.iter().filter_map(|job| job.origin.as_ref()) {
            origin.fail("Unavailable", NO_WORKER);
        }
    }

    /// The worker wants a job of at most `capacity` bytes; wait for one at most `timeout`, `None`:
    /// for ever.
    pub fn next(&self, timeout: Option<Duration>, capacity: usize) -> Next {
        let until = timeout.map(|timeout| Instant::now() + timeout);
        let mut state = lock(&self.state);
        self.note_answer(&mut state);
        loop {
            if state.is_stopped {
                return Next::Stopped;
            }
            while let Some(job) = state.take() {
                if self.is_given_up(&job) {
                    continue;
                }
                if let Some(bytes) = self.hand_out(&mut state, job, capacity) {
                    return Next::Job(bytes);
                }
            }
            let left = until.map_or(BEAT_INTERVAL * 40, |until| {
                until.saturating_duration_since(Instant::now())
            });
            if left.is_zero() {
                return Next::Nothing;
            }
            state = match self.arrived.wait_timeout(state, left) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }

    /// The worker answers a job with a JSON object. False: there is no such job.
    pub fn reply(&self, number: u64, answer: &[u8]) -> bool {
        let mut state = lock(&self.state);
        self.note_answer(&mut state);
        let Some(position) = state.running.iter().position(|job| job.number == number) else {
            return false;
        };
        let job = state.running.swap_remove(position);
        drop(state);
        finish(job, answer, &*self.target);
        true
    }

    /// The worker reports progress on a job: pass it to the viewer. False: the viewer has given up.
    pub fn progress(&self, number: u64, so_far: &[u8]) -> bool {
        let mut state = lock(&self.state);
        self.note_answer(&mut state);
        let origin = state
            .running
            .iter()
            .find(|job| job.number == number)
            .and_then(|job| job.origin.clone());
        let is_stopped = state.is_stopped;
        drop(state);
        let Some(origin) = origin.filter(|origin| !is_stopped && !origin.is_given_up()) else {
            return false;
        };
        if origin.peer.is_full() {
            return true;
        }
        if let Ok(fields) = serde_json::from_slice::<Fields>(so_far) {
            origin.peer.send(&wire::progress(origin.nonce, fields));
        }
        true
    }

    /// Whether a worker has come.
    pub fn has_worker(&self) -> bool {
        lock(&self.state).answered.is_some()
    }

    /// How the interpreter is, for viewers.
    pub fn interpreter(&self, now: Instant) -> Value {
        let state = lock(&self.state);
        let millis = |since: Instant| now.saturating_duration_since(since).as_millis() as u64;
        // The beats are our own; that they are late shows in the age of the last answer.
        let busy =
            state.running.iter().filter(|job| job.origin.is_some()).min_by_key(|job| job.began);
        serde_json::json!({
            "answered_ms_ago": state.answered.map(millis),
            "busy": busy.map(|job| job.op),
            "busy_ms": busy.map_or(0, |job| millis(job.began)),
            "waiting": state.asked(),
        })
    }

    /// Takes no more jobs; waiting workers are ended and waiting viewers get an answer.
    pub fn stop(&self) {
        let mut state = lock(&self.state);
        state.is_stopped = true;
        let left: Vec<Job> = state.waiting.drain(..).collect();
        drop(state);
        self.arrived.notify_all();
        for origin in left.iter().filter_map(|job| job.origin.as_ref()) {
            origin.fail("NotRunning", "the agent stopped before the interpreter came by");
        }
    }

    fn is_given_up(&self, job: &Job) -> bool {
        job.origin
            .as_ref()
            .is_some_and(|origin| origin.drop_if_given_up(&*self.target, "the interpreter came by"))
    }

    fn note_answer(&self, state: &mut State) {
        state.answered = Some(Instant::now());
        state.has_none = false;
        self.target.interpreter_answered();
    }

    /// The job as bytes, and its place among the running jobs; `None` when it does not fit, and
    /// then its viewer gets an error.
    fn hand_out(&self, state: &mut State, mut job: Job, capacity: usize) -> Option<Vec<u8>> {
        let bytes = std::mem::take(&mut job.text);
        if bytes.len() > capacity {
            self.target.count_drop();
            if let Some(origin) = &job.origin {
                origin.fail("TableFull", "the agent has no room for so long a request");
            }
            return None;
        }
        job.began = Instant::now();
        if let Finish::Collection(before) = &mut job.finish {
            *before = self.target.totals();
        }
        state.running.push(job);
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;
    use std::sync::atomic::Ordering;

    use super::queue::MAX_WAITING_BYTES;
    use super::*;
    use crate::peer::Peer;
    use crate::target::quiet::Quiet;
    use crate::target::Totals;
    use crate::waker::in_table;

    fn origin(deadline: Duration) -> (Origin, UnixStream) {
        let (near, far) = UnixStream::pair().expect("sockets");
        let (near, waker) = in_table(near);
        let peer = Arc::new(Peer::new(near, (1, 1), waker));
        (Origin { peer, nonce: 1, deadline: Instant::now() + deadline, act: None }, far)
    }

    fn next(jobs: &Jobs) -> Next {
        jobs.next(Some(Duration::ZERO), 1 << 10)
    }

    #[test]
    fn a_job_is_handed_out_once() {
        let jobs = Jobs::new(Arc::new(Quiet::default()));
        let (origin, _far) = origin(Duration::from_secs(60));
        jobs.push("scan", Fields::new(), origin, Finish::Pass);
        assert_eq!(next(&jobs), Next::Job(br#"{"job":1,"op":"scan"}"#.to_vec()));
        assert_eq!(next(&jobs), Next::Nothing);
    }

    #[test]
    fn a_worker_that_comes_late_gets_no_job_whose_deadline_passed_or_whose_viewer_is_gone() {
        let target = Arc::new(Quiet::default());
        let jobs = Jobs::new(Arc::clone(&target) as Arc<dyn Target>);
        let (late, _far) = origin(Duration::ZERO);
        let (gone, far) = origin(Duration::from_secs(60));
        drop(far);
        let (ended, _other) = origin(Duration::from_secs(60));
        ended.peer.hang_up();
        for origin in [late, gone, ended] {
            jobs.push("gc", Fields::new(), origin, Finish::Collection(Totals::default()));
        }
        assert_eq!(next(&jobs), Next::Nothing);
        assert_eq!(target.drops.load(Ordering::SeqCst), 3);
    }

    #[test]
    fn nothing_is_begun_for_one_that_does_not_read_or_waits_for_another_answer_and_others_are_served(
    ) {
        let jobs = Jobs::new(Arc::new(Quiet::default()));
        let (deaf, _far) = origin(Duration::from_secs(60));
        let (other, _end) = origin(Duration::from_secs(60));
        deaf.peer.send(&vec![b'x'; 1 << 20]);
        for origin in [&deaf, &other, &other] {
            jobs.push("adapters", Fields::new(), origin.clone(), Finish::Pass);
        }
        assert_eq!(next(&jobs), Next::Job(br#"{"job":2,"op":"adapters"}"#.to_vec()));
        assert_eq!(next(&jobs), Next::Nothing);
        assert!(jobs.reply(2, b"{}"));
        assert_eq!(next(&jobs), Next::Job(br#"{"job":3,"op":"adapters"}"#.to_vec()));
    }

    #[test]
    fn a_process_without_an_interpreter_says_so_at_once_and_a_worker_that_comes_all_the_same_is_served(
    ) {
        let jobs = Jobs::new(Arc::new(Quiet { has_no_interpreter: true, ..Quiet::default() }));
        let (early, _far) = origin(Duration::from_secs(60));
        jobs.push("gc", Fields::new(), early, Finish::Collection(Totals::default()));
        jobs.refuse_without_worker(jobs.began);
        assert_eq!(lock(&jobs.state).asked(), 1, "a worker may still be about to come");
        jobs.refuse_without_worker(jobs.began + FIRST_WORKER_PATIENCE);
        let (late, _end) = origin(Duration::from_secs(60));
        jobs.push("gc", Fields::new(), late.clone(), Finish::Collection(Totals::default()));
        assert_eq!(lock(&jobs.state).asked(), 0);
        assert_eq!(next(&jobs), Next::Nothing);
        jobs.refuse_without_worker(jobs.began + FIRST_WORKER_PATIENCE);
        jobs.push("scan", Fields::new(), late, Finish::Pass);
        assert!(matches!(next(&jobs), Next::Job(_)));
    }

    #[test]
    fn bytes_of_waiting_requests_are_bounded() {
        let jobs = Jobs::new(Arc::new(Quiet::default()));
        let (origin, _far) = origin(Duration::from_secs(60));
        for _ in 0..8 {
            let fields =
                Fields::from_iter([("declarations".to_owned(), "x".repeat(1 << 20).into())]);
            jobs.push("declare", fields, origin.clone(), Finish::Pass);
        }
        assert_eq!(lock(&jobs.state).asked(), MAX_WAITING_BYTES >> 20);
    }

    #[test]
    fn a_beat_is_asked_for_once_until_it_is_answered_and_not_too_often() {
        let jobs = Jobs::new(Arc::new(Quiet::default()));
        let now = Instant::now();
        jobs.beat(now);
        jobs.beat(now + BEAT_INTERVAL);
        assert_eq!(next(&jobs), Next::Job(br#"{"job":1,"op":"beat"}"#.to_vec()));
        jobs.beat(now + BEAT_INTERVAL);
        assert_eq!(next(&jobs), Next::Nothing);
        assert!(jobs.reply(1, b"{}"));
        jobs.beat(now + BEAT_INTERVAL / 2);
        assert_eq!(next(&jobs), Next::Nothing);
        jobs.beat(now + BEAT_INTERVAL);
        assert!(matches!(next(&jobs), Next::Job(_)));
    }
}
