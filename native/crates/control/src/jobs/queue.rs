//! Jobs that wait, and jobs that run.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;

use super::answer::Finish;
use crate::peer::{Origin, Peer};
use crate::wire::Fields;

/// Jobs of viewers that may wait.
const MAX_WAITING: usize = 64;
/// Bytes of all jobs that wait.
pub(super) const MAX_WAITING_BYTES: usize = 4 << 20;

/// A job on its way.
pub struct Job {
    /// Repeated in the worker's answer.
    pub number: u64,
    /// Its operation.
    pub op: &'static str,
    /// As the worker gets it.
    pub text: Vec<u8>,
    /// The viewer that asked; None: the agent asks itself.
    pub origin: Option<Origin>,
    /// The use of the answer.
    pub finish: Finish,
    /// It was queued, or handed out, at that time.
    pub began: Instant,
}

impl Job {
    /// It was made because no viewer used the agent.
    pub fn is_leaving(&self) -> bool {
        self.op == "detach" && self.origin.is_none()
    }
}

/// The jobs, and the state of the worker.
#[derive(Default)]
pub struct State {
    /// Jobs that no worker has, the oldest first.
    pub waiting: VecDeque<Job>,
    /// Jobs that a worker has.
    pub running: Vec<Job>,
    last_number: u64,
    /// The time of the newest beat.
    pub last_beat: Option<Instant>,
    /// The time at which a worker answered, or asked for a job.
    pub answered: Option<Instant>,
    /// No worker can come: decided once, after `FIRST_WORKER_PATIENCE`.
    pub has_none: bool,
    /// The agent stops.
    pub is_stopped: bool,
}

impl State {
    /// Jobs of viewers that wait; beats are our own.
    pub fn asked(&self) -> usize {
        self.waiting.iter().filter(|job| job.origin.is_some()).count()
    }

    /// Why no further job of a viewer can wait; None: there is room.
    pub fn refusal(&self) -> Option<String> {
        if self.asked() >= MAX_WAITING {
            return Some(format!("{MAX_WAITING} requests wait for the interpreter already"));
        }
        let bytes: usize = self.waiting.iter().map(|job| job.text.len()).sum();
        (bytes >= MAX_WAITING_BYTES)
            .then(|| format!("{bytes} bytes of requests wait for the interpreter already"))
    }

    /// The oldest job that can be done now: its peer reads its answers, and waits for no other
    /// answer of the interpreter.
    pub fn take(&mut self) -> Option<Job> {
        let is_owed = |peer: &Arc<Peer>| {
            self.running
                .iter()
                .filter_map(|job| job.origin.as_ref())
                .any(|it| Arc::ptr_eq(&it.peer, peer))
        };
        let can_begin = |job: &Job| {
            job.origin
                .as_ref()
                .is_none_or(|origin| !origin.peer.is_full() && !is_owed(&origin.peer))
        };
        let place = self.waiting.iter().position(can_begin)?;
        self.waiting.remove(place)
    }

    /// Queues a job.
    pub fn add(
        &mut self,
        op: &'static str,
        mut fields: Fields,
        origin: Option<Origin>,
        finish: Finish,
    ) {
        self.last_number += 1;
        fields.insert("job".into(), self.last_number.into());
        fields.insert("op".into(), op.into());
        let text = Value::Object(fields).to_string().into_bytes();
        self.waiting.push_back(Job {
            number: self.last_number,
            op,
            text,
            origin,
            finish,
            began: Instant::now(),
        });
    }
}
