//! One end of a connection, shared by all threads that answer on it.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::audit::{Act, Audit};
use super::target::Target;
use super::waker::Waker;
use crate::wire::{self, Fields};
use platform::descriptors::Descriptor;
use platform::sockets::Waiting;
use segment::sync::lock;

/// Bytes that wait for a peer before nothing more is made for it. Up to three answers begun before
/// may follow, each of one line: from the control thread, the closer and the interpreter. With
/// `MAX_CONNECTIONS` peers that is the bound in total.
const MAX_WAITING_BYTES: usize = 64 << 10;
/// How long a peer may leave its waiting answers unread.
const READING_PATIENCE: Duration = Duration::from_secs(10);

/// Bytes that wait to be written.
struct Outgoing {
    bytes: Vec<u8>,
    /// The peer took some then, or the first of them came.
    since: Instant,
}

/// The other end of a connection.
pub struct Peer {
    /// Its socket.
    pub stream: Descriptor,
    /// Process, 0 when it is in no namespace of ours.
    pub pid: u32,
    /// User.
    pub uid: u32,
    /// We closed the connection.
    gone: AtomicBool,
    outgoing: Mutex<Outgoing>,
    waker: Arc<Waker>,
}

impl Peer {
    /// Take a fresh connection.
    pub fn new(stream: Descriptor, (pid, uid): (u32, u32), waker: Arc<Waker>) -> Self {
        let outgoing = Mutex::new(Outgoing { bytes: Vec::new(), since: Instant::now() });
        Self { stream, pid, uid, gone: AtomicBool::new(false), outgoing, waker }
    }

    /// Hand `line` to the control thread, which writes it. Any thread.
    pub fn send(&self, line: &[u8]) {
        let mut outgoing = lock(&self.outgoing);
        if outgoing.bytes.is_empty() {
            outgoing.since = Instant::now();
        }
        outgoing.bytes.extend_from_slice(line);
        drop(outgoing);
        self.waker.wake();
    }

    /// Something waits to be written.
    pub fn has_outgoing(&self) -> bool {
        !lock(&self.outgoing).bytes.is_empty()
    }

    /// So much waits to be written that nothing more is to be read from the peer or made for it.
    pub fn is_full(&self) -> bool {
        lock(&self.outgoing).bytes.len() >= MAX_WAITING_BYTES
    }

    /// Something waits, and the peer has taken nothing of it for as long as is borne.
    pub fn is_deaf(&self, now: Instant) -> bool {
        let outgoing = lock(&self.outgoing);
        !outgoing.bytes.is_empty()
            && now.saturating_duration_since(outgoing.since) >= READING_PATIENCE
    }

    /// Write as much as is possible without waiting. False: the peer has closed.
    pub fn flush(&self) -> bool {
        let mut outgoing = lock(&self.outgoing);
        let mut done = 0;
        let is_well = loop {
            if done == outgoing.bytes.len() {
                break true;
            }
            match self.stream.send(&outgoing.bytes[done..]) {
                Ok(0) => break false,
                Ok(count) => done += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => break error.kind() == ErrorKind::WouldBlock,
            }
        };
        if done > 0 {
            outgoing.since = Instant::now();
            outgoing.bytes.drain(..done);
            outgoing.bytes.shrink_to(MAX_WAITING_BYTES);
        }
        is_well
    }

    /// The peer hung up, or we did.
    pub fn is_gone(&self) -> bool {
        // Relaxed: a separate flag; a thread that misses it asks the kernel, which knows of the
        // shutdown below.
        self.gone.load(Ordering::Relaxed) || self.is_hung_up()
    }

    /// The kernel knows now of a hang-up, or the socket is not ours any more.
    fn is_hung_up(&self) -> bool {
        let Ok(number) = self.stream.number() else { return true };
        let mut waiting = [Waiting::new(number, false)];
        self.stream.table().look(&mut waiting).is_err() || waiting[0].is_hung_up()
    }

    /// We ended the connection.
    pub fn is_hung_up_by_us(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }

    /// End the connection for both sides at once, also while requests of it still run.
    pub fn hang_up(&self) {
        self.gone.store(true, Ordering::Relaxed);
        // A failure says that it is not connected any more.
        let _ = self.stream.shut_down();
    }
}

/// The source of a request, and the deadline after which its answer is useless.
#[derive(Clone)]
pub struct Origin {
    /// The viewer that asked.
    pub peer: Arc<Peer>,
    /// Repeated in the answer.
    pub nonce: u64,
    /// It must not begin later.
    pub deadline: Instant,
    /// The log and the act to write there when the request is answered.
    pub act: Option<(Arc<Audit>, Arc<Act>)>,
}

impl Origin {
    /// Say that it was done.
    pub fn succeed(&self, fields: Fields) {
        self.record(Ok(&fields));
        self.peer.send(&wire::success(self.nonce, fields));
    }

    /// Say why it was not done.
    pub fn fail(&self, status: &str, error: &str) {
        self.record(Err((status, error)));
        self.peer.send(&wire::failure(self.nonce, status, error));
    }

    fn record(&self, outcome: Result<&Fields, (&str, &str)>) {
        if let Some((audit, act)) = &self.act {
            audit.record(act, self.peer.pid, self.peer.uid, outcome);
        }
    }

    /// The viewer has given up, so the request must not be done: the deadline passed or the peer
    /// hung up.
    pub fn is_given_up(&self) -> bool {
        Instant::now() >= self.deadline || self.peer.is_gone()
    }

    /// If the viewer has given up: count it, tell a viewer that is still connected, and return
    /// true.
    pub fn drop_if_given_up(&self, target: &dyn Target, waited_for: &str) -> bool {
        let is_given_up = self.is_given_up();
        if is_given_up {
            target.count_drop();
            self.fail(
                "GivenUp",
                &format!("the deadline passed before {waited_for}; nothing was done"),
            );
        }
        is_given_up
    }
}
