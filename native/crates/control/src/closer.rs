//! The native thread that closes, cancels and drains, so that a close method which takes its time
//! holds up no ping.

use std::collections::VecDeque;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::jobs::{add_totals, Finish, Jobs};
use super::peer::Origin;
use super::target::{CloseAnswer, CloseWish, Target, Totals};
use crate::wire::Fields;
use segment::sync::lock;

/// Requests that may wait.
const MAX_WAITING: usize = 64;
/// After a collection the sums are read again until they have stood still for so long.
const STILL: Duration = Duration::from_millis(100);
const MOST_SETTLING: Duration = Duration::from_secs(1);
const TURN: Duration = Duration::from_millis(5);
/// Most handles of one request; each is looked up in the whole table.
pub const MOST_AT_ONCE: usize = 1000;

/// A task for the closer thread.
pub enum Errand {
    /// What would closing do?
    Preview(Vec<u64>),
    /// Close these rows.
    Close(Vec<u64>, CloseWish),
    /// Take a close request back.
    Cancel(u64),
    /// Run the waiting closes.
    Drain,
    /// Name the native references on a row's object.
    Holders(u64),
    /// Have the host collect all garbage.
    Collect,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<(Errand, Origin)>,
    is_stopped: bool,
    is_done: bool,
}

/// The thread's queue.
pub struct Closer {
    state: Mutex<State>,
    changed: Condvar,
    target: Arc<dyn Target>,
    jobs: Arc<Jobs>,
}

impl Closer {
    /// A queue; run `serve` on a thread of its own.
    pub fn new(target: Arc<dyn Target>, jobs: Arc<Jobs>) -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), target, jobs }
    }

    /// Queue an errand; when the queue is full, it is refused.
    pub fn push(&self, errand: Errand, origin: Origin) {
        let mut state = lock(&self.state);
        if state.waiting.len() >= MAX_WAITING {
            drop(state);
            self.target.count_drop();
            return origin.fail(
                "TableFull",
                &format!("{MAX_WAITING} requests wait for a close to end already"),
            );
        }
        state.waiting.push_back((errand, origin));
        drop(state);
        self.changed.notify_all();
    }

    /// Look again whose answers can be taken.
    pub fn wake(&self) {
        self.changed.notify_all();
    }

    /// Answer the waiting requests whose viewers have given up.
    pub fn drop_given_up(&self) {
        lock(&self.state).waiting.retain(|(_, origin)| !self.is_given_up(origin));
    }

    /// Do errands until stopped.
    pub fn serve(&self) {
        while let Some((errand, origin)) = self.next() {
            let done = catch_unwind(AssertUnwindSafe(|| self.run(errand, &origin)));
            if done.is_err() {
                self.target.count_panic();
                origin.fail("Panic", "a panic in native code ended the request half-way");
            }
        }
        lock(&self.state).is_done = true;
        self.changed.notify_all();
    }

    /// End the thread after its present task, and wait for the end, but no longer than `patience`:
    /// a close method may hang. True: it has ended.
    pub fn stop(&self, patience: Duration) -> bool {
        let mut state = lock(&self.state);
        state.is_stopped = true;
        self.changed.notify_all();
        let waited = self.changed.wait_timeout_while(state, patience, |state| !state.is_done);
        state = waited.unwrap_or_else(PoisonError::into_inner).0;
        state.is_done
    }

    fn next(&self) -> Option<(Errand, Origin)> {
        let mut state = lock(&self.state);
        loop {
            if state.is_stopped {
                return None;
            }
            let is_read = |(_, origin): &(Errand, Origin)| !origin.peer.is_full();
            while let Some((errand, origin)) =
                state.waiting.iter().position(is_read).and_then(|place| state.waiting.remove(place))
            {
                if !self.is_given_up(&origin) {
                    return Some((errand, origin));
                }
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn is_given_up(&self, origin: &Origin) -> bool {
        origin.drop_if_given_up(&*self.target, "an earlier close ended")
    }

    fn run(&self, errand: Errand, origin: &Origin) {
        match errand {
            Errand::Preview(handles) => {
                self.answer_each("preview", &handles, CloseWish::default(), origin)
            }
            Errand::Close(handles, wish) => self.answer_each("close", &handles, wish, origin),
            Errand::Cancel(handle) => match self.target.cancel(handle) {
                Ok(()) => origin.succeed(Fields::new()),
                Err(why) => origin.fail("CloseRefused", &why),
            },
            Errand::Holders(handle) => origin.succeed(self.target.holders(handle)),
            Errand::Collect => self.collect(origin),
            Errand::Drain => {
                let mut fields = Fields::new();
                fields.insert("ran".into(), self.target.drain().into());
                fields.insert("still_pending".into(), self.target.totals().pending.into());
                origin.succeed(fields);
            }
        }
    }

    /// Has the host collect, and waits for the releases that follow: its cleaners run on threads of
    /// their own.
    fn collect(&self, origin: &Origin) {
        let before = self.target.totals();
        let began = Instant::now();
        if let Err(why) = self.target.collect() {
            return origin.fail("Unavailable", &why);
        }
        let took = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let after = self.settled();
        let mut fields = Fields::new();
        fields.insert("took_nanos".into(), took.into());
        add_totals(&mut fields, before, after);
        origin.succeed(fields);
    }

    /// The sums once they have stood still for a moment, or for as long as is waited.
    fn settled(&self) -> Totals {
        let began = Instant::now();
        let (mut last, mut since) = (self.target.totals(), began);
        while since.elapsed() < STILL && began.elapsed() < MOST_SETTLING && !self.is_stopped() {
            std::thread::sleep(TURN);
            let now = self.target.totals();
            if now != last {
                (last, since) = (now, Instant::now());
            }
        }
        last
    }

    /// Preview or close each handle. Handles of adapters are passed on to the interpreter.
    fn answer_each(&self, op: &'static str, handles: &[u64], wish: CloseWish, origin: &Origin) {
        let mut decided = Vec::new();
        let mut foreign = Vec::new();
        for &handle in handles {
            match self.decide(op, handle, wish) {
                Some(answer) => decided.push(answer),
                None => foreign.push(handle),
            }
        }
        let mut fields = Fields::new();
        if foreign.is_empty() {
            fields.insert("answers".into(), serde_json::json!(decided));
            return origin.succeed(fields);
        }
        fields.insert("handles".into(), foreign.clone().into());
        fields.insert("although_held".into(), wish.although_held.into());
        if let Some(within) = wish.withdraw_after {
            fields.insert("withdraw_after_secs".into(), within.as_secs_f64().into());
        }
        self.jobs.push(op, fields, origin.clone(), Finish::Closes { decided, foreign });
    }

    fn decide(&self, op: &str, handle: u64, wish: CloseWish) -> Option<CloseAnswer> {
        if op == "preview" {
            self.target.preview(handle)
        } else if self.is_stopped() {
            Some(CloseAnswer::new(handle, "refused", "the agent stops"))
        } else {
            self.target.close(handle, wish)
        }
    }

    fn is_stopped(&self) -> bool {
        lock(&self.state).is_stopped
    }
}

#[cfg(test)]
mod tests {
    use super::super::peer::Peer;
    use super::super::target::quiet::Quiet;
    use super::super::waker::in_table;
    use super::*;
    use std::os::unix::net::UnixStream;
    use std::sync::atomic::Ordering;

    #[test]
    fn a_close_whose_viewer_is_gone_or_whose_deadline_passed_is_not_done() {
        let target = Arc::new(Quiet::default());
        let jobs = Arc::new(Jobs::new(Arc::clone(&target) as Arc<dyn Target>));
        let closer = Closer::new(Arc::clone(&target) as Arc<dyn Target>, jobs);
        let (near, far) = UnixStream::pair().expect("sockets");
        let (near, waker) = in_table(near);
        let peer = Arc::new(Peer::new(near, (1, 1), waker));
        let mut origin = Origin { peer, nonce: 1, deadline: Instant::now(), act: None };
        let close = || Errand::Close(vec![6], CloseWish::default());
        closer.push(close(), origin.clone());
        origin.deadline += Duration::from_secs(60);
        closer.push(close(), origin.clone());
        drop(far);
        std::thread::scope(|scope| {
            scope.spawn(|| closer.serve());
            while target.drops.load(Ordering::SeqCst) + target.closes.load(Ordering::SeqCst) < 2 {
                std::thread::yield_now();
            }
            assert!(closer.stop(Duration::from_secs(60)));
        });
        assert_eq!(
            (target.drops.load(Ordering::SeqCst), target.closes.load(Ordering::SeqCst)),
            (2, 0)
        );
    }
}
