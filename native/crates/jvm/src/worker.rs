//! The agent's thread in the virtual machine.

use std::time::{Duration, Instant};

use control::Next;
use jvmti_bindings::env::JniEnv;
use recorder::runtime::runtime;
use serde_json::{json, Value};

use crate::bindings::Bindings;
use crate::jobs::Desk;
use crate::machine::{Machine, FRAME_REFERENCES};
use crate::proxies::Proxies;

/// Room for a job.
const JOB_BYTES: usize = 1 << 20;
/// Pause between two looks through the heap while a viewer is there, and without one.
const LOOK_PAUSE: Duration = Duration::from_millis(500);
const UNSEEN_LOOK_PAUSE: Duration = Duration::from_secs(2);
/// Pause between two readings of the proxies that are known, and without a viewer.
const READ_PAUSE: Duration = Duration::from_millis(100);
const UNSEEN_READ_PAUSE: Duration = Duration::from_secs(1);
/// The program stands still for at most one part in so many.
const RARENESS: u32 = 100;

/// The state of the thread.
pub struct Worker {
    machine: Machine,
    env: JniEnv,
    bindings: Bindings,
    proxies: Proxies,
    looked: Option<Instant>,
    read: Option<Instant>,
}

impl Worker {
    /// On the calling thread, whose environment this is.
    pub fn new(machine: Machine, env: JniEnv) -> Self {
        Self {
            machine,
            env,
            bindings: Bindings::default(),
            proxies: Proxies::new(),
            looked: None,
            read: None,
        }
    }

    /// Looks and answers until the agent stops. Whether a viewer asked it to leave.
    pub fn run(mut self) -> bool {
        let mut is_asked_to_leave = false;
        while let Some(control) = control::running() {
            self.turn();
            match control.jobs().next(Some(READ_PAUSE), JOB_BYTES) {
                Next::Stopped => break,
                Next::Nothing => {}
                Next::Job(job) => {
                    let job: Value = serde_json::from_slice(&job).unwrap_or_default();
                    let number = job["job"].as_u64().unwrap_or_default();
                    let operation = job["op"].as_str().unwrap_or_default();
                    is_asked_to_leave = operation == "detach";
                    let answer = if is_asked_to_leave {
                        json!({"ok": true})
                    } else {
                        self.at_desk(|desk| desk.answer(operation, &job)).unwrap_or_else(
                            || json!({"ok": false, "error": "the virtual machine has no memory left"}),
                        )
                    };
                    // a job whose viewer has gone needs no answer
                    let _ = control.jobs().reply(number, answer.to_string().as_bytes());
                    if is_asked_to_leave {
                        break;
                    }
                }
            }
        }
        self.leave();
        is_asked_to_leave
    }

    /// What is due without a request.
    fn turn(&mut self) {
        let is_seen = agent::has_viewers();
        let (look, read) =
            if is_seen { (LOOK_PAUSE, READ_PAUSE) } else { (UNSEEN_LOOK_PAUSE, UNSEEN_READ_PAUSE) };
        let look = look.max(self.proxies.walks.last * RARENESS);
        if is_due(self.looked, look) {
            self.at_desk(|desk| desk.look());
            self.looked = Some(Instant::now());
        } else if is_due(self.read, read) {
            self.at_desk(|desk| desk.read());
        } else {
            return;
        }
        self.read = Some(Instant::now());
    }

    /// Does something with all parts; its references end with it.
    fn at_desk<R>(&mut self, body: impl FnOnce(&mut Desk<'_>) -> R) -> Option<R> {
        let frame = self.env.push_local_frame(FRAME_REFERENCES);
        let Ok(_frame) = frame else {
            self.env.exception_clear();
            return None;
        };
        Some(body(&mut Desk {
            machine: &self.machine,
            env: &self.env,
            runtime: runtime(),
            bindings: &mut self.bindings,
            proxies: &mut self.proxies,
        }))
    }

    fn leave(self) {
        self.proxies.forget(&self.env, runtime(), &self.bindings);
        self.bindings.forget(&self.env);
        self.machine.dispose();
    }
}

fn is_due(last: Option<Instant>, pause: Duration) -> bool {
    last.is_none_or(|last| last.elapsed() >= pause)
}
