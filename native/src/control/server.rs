//! The control thread: one loop over the listener and the connections. It never waits for the interpreter or for a close.

use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::commands::{After, Commands};
use super::connection::{too_long, Connection, Received};
use super::descriptors::Listed;
use super::peer::Peer;
use super::waker::Waker;
use crate::platform;
use crate::platform::ipc::{self, Waiting};
use crate::wire;

/// Connections at once.
pub const MAX_CONNECTIONS: usize = 8;
/// How often the loop looks at deadlines while somebody is connected.
const TICK: Duration = Duration::from_millis(100);
/// Waking up so much later than asked means that the process was stopped.
const OVERSLEPT: Duration = Duration::from_millis(250);
/// How long no connection is accepted when the process has no descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// The loop's belongings.
pub struct Server {
    _listed: Listed,
    listener: UnixListener,
    waker: Arc<Waker>,
    is_stopping: Arc<AtomicBool>,
    commands: Commands,
    connections: Vec<Connection>,
    accepts_from: Option<Instant>,
    /// A viewer has set the level, so that the last one to go sets it back.
    level_was_set: bool,
    /// CPU time of this thread that was accounted for.
    cpu_nanos: u64,
}

impl Server {
    /// A server over a bound, non-blocking listener.
    pub fn new(listener: UnixListener, waker: Arc<Waker>, is_stopping: Arc<AtomicBool>, commands: Commands) -> Self {
        let listed = Listed::new(listener.as_raw_fd());
        Self {
            listener,
            waker,
            is_stopping,
            commands,
            connections: Vec::new(),
            accepts_from: None,
            level_was_set: false,
            cpu_nanos: 0,
            _listed: listed,
        }
    }

    /// Serve until told to stop.
    pub fn serve(mut self) {
        let mut last_turn = Instant::now();
        loop {
            let (is_acceptable, ready) = self.wait();
            // Acquire pairs with the Release of the one who stops us.
            if self.is_stopping.load(Ordering::Acquire) {
                break;
            }
            let now = Instant::now();
            // After a stop nobody knows since when a line lies there. It may be as old as the last turn of this loop.
            let is_idle = self.connections.is_empty();
            let arrival = if !is_idle && now - last_turn > TICK + OVERSLEPT { last_turn } else { now };
            last_turn = now;
            self.turn(&ready, arrival);
            if is_acceptable {
                self.accept(now);
            }
            self.tick(now);
        }
        self.end();
    }

    /// Wait for something to happen. Answers whether a connection can be accepted, and which of the connections are ready.
    fn wait(&mut self) -> (bool, Vec<bool>) {
        let now = Instant::now();
        let mut waiting = vec![Waiting::new(self.waker.descriptor(), false)];
        let accepts = self.accepts_from.is_none();
        waiting.push(if accepts { Waiting::new(self.listener.as_raw_fd(), false) } else { Waiting::nothing() });
        let connections = self.connections.iter_mut();
        waiting.extend(connections.map(|it| match (it.peer.is_full(), it.is_throttled(now)) {
            (true, _) => Waiting::to_write(it.peer.stream.as_raw_fd()),
            (false, true) => Waiting::nothing(),
            (false, false) => Waiting::new(it.peer.stream.as_raw_fd(), it.peer.has_outgoing()),
        }));
        let is_idle = self.connections.is_empty() && accepts;
        if ipc::wait(&mut waiting, (!is_idle).then_some(TICK)).is_err() {
            // The kernel is out of memory; that must not make this loop a busy one.
            std::thread::sleep(TICK);
        }
        self.waker.clear();
        (waiting[1].is_ready(), waiting[2..].iter().map(Waiting::is_ready).collect())
    }

    /// Read and do what the ready connections ask.
    fn turn(&mut self, ready: &[bool], arrival: Instant) {
        let now = Instant::now();
        for (position, &is_ready) in ready.iter().enumerate() {
            let connection = &mut self.connections[position];
            if is_ready && connection.peer.is_full() {
                // false: it is gone, which the next look at deadlines notices
                connection.peer.flush();
            }
            let has_work = is_ready || connection.has_half_line();
            if !has_work || connection.is_dismissed() || connection.is_held_back(now) {
                continue;
            }
            let commands = AssertUnwindSafe(|| self.serve_connection(position, arrival));
            if catch_unwind(commands).is_err() {
                self.commands.target.count_panic();
                self.connections[position].peer.hang_up();
            }
        }
    }

    fn serve_connection(&mut self, position: usize, arrival: Instant) {
        let connection = &mut self.connections[position];
        let received = connection.receive(arrival);
        while !self.connections[position].is_dismissed() {
            let connection = &mut self.connections[position];
            if connection.is_held_back(Instant::now()) {
                break;
            }
            match connection.next_line() {
                Ok(Some(line)) => {
                    if let After::Wishes(origin) = self.commands.run_line(connection, &line, arrival) {
                        self.meet_wishes();
                        origin.succeed(self.commands.state());
                    }
                }
                Ok(None) => break,
                Err(_) => {
                    self.commands.target.count_drop();
                    connection.dismiss(0, "BadArgument", &too_long(), arrival);
                }
            }
        }
        let connection = &mut self.connections[position];
        if received == Received::End {
            if connection.has_half_line() && !connection.is_dismissed() {
                self.commands.target.count_drop();
            }
            connection.peer.hang_up();
        }
    }

    fn accept(&mut self, now: Instant) {
        match self.listener.accept() {
            Ok((stream, _)) => {
                if let Err((stream, status, why)) = self.admit(stream, now) {
                    self.commands.target.count_drop();
                    // One line at most goes into a fresh socket's buffer; a peer that is gone needs none.
                    let _ = (&stream).write(&wire::failure(0, status, &why));
                }
            }
            Err(error) if matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM | libc::ENOBUFS)) => {
                self.accepts_from = Some(now + ACCEPT_PAUSE);
            }
            Err(_) => {}
        }
    }

    fn admit(&mut self, stream: UnixStream, now: Instant) -> Result<(), (UnixStream, &'static str, String)> {
        let own = platform::user_id();
        let (pid, uid) = match stream.set_nonblocking(true).and_then(|()| platform::peer_of(&stream)) {
            Ok(peer) => peer,
            Err(error) => return Err((stream, "Io", format!("{error}: looking who connects"))),
        };
        if uid != own && uid != 0 {
            let why = format!("user {uid} may not inspect a process of user {own}");
            return Err((stream, "Unavailable", why));
        }
        if self.connections.len() >= MAX_CONNECTIONS {
            return Err((stream, "TableFull", format!("{MAX_CONNECTIONS} viewers are connected already")));
        }
        let peer = Peer::new(stream, (pid, uid), Arc::clone(&self.waker));
        self.connections.push(Connection::new(Arc::new(peer), now));
        Ok(())
    }

    /// Write what waits, look at deadlines, and let go of connections that ended.
    fn tick(&mut self, now: Instant) {
        self.accepts_from = self.accepts_from.filter(|&from| now < from);
        self.commands.jobs.drop_given_up();
        self.commands.closer.drop_given_up();
        if self.connections.iter().any(|connection| connection.wishes.is_some()) {
            self.commands.jobs.beat(now);
        }
        if self.connections.iter().any(|connection| connection.peer.is_full()) {
            // what is held back for one that reads again goes on
            self.commands.jobs.wake();
            self.commands.closer.wake();
        }
        for connection in &mut self.connections {
            if let Some(why) = connection.overdue(now) {
                self.commands.target.count_drop();
                connection.dismiss(0, "GivenUp", why, now);
            }
            if !connection.peer.flush() || connection.is_over(now) {
                connection.peer.hang_up();
            }
        }
        let before = self.connections.len();
        self.connections.retain(|connection| !connection.is_ended());
        if self.connections.len() != before {
            self.meet_wishes();
        }
        let cpu_nanos = platform::thread_cpu_nanos();
        self.commands.target.add_cpu(cpu_nanos - std::mem::replace(&mut self.cpu_nanos, cpu_nanos));
    }

    /// Record and sample as the attached viewers together wish; without any, as little as when idle.
    fn meet_wishes(&mut self) {
        let wishes = || self.connections.iter().filter_map(|connection| connection.wishes).filter(|wishes| wishes.is_viewer);
        let viewers = wishes().count() as u32;
        let level = wishes().filter_map(|wishes| wishes.level).max();
        let interval = wishes().map(|wishes| wishes.interval).min();
        let target = &self.commands.target;
        if level.is_some() || self.level_was_set {
            target.set_level(level.unwrap_or_else(|| target.idle_level()));
        }
        self.level_was_set = level.is_some();
        self.commands.viewers.set(viewers);
        target.set_viewers(viewers, interval);
    }

    /// Let all viewers go. The level is left to the one who stops us.
    fn end(self) {
        for connection in &self.connections {
            connection.peer.flush();
            connection.peer.hang_up();
        }
        self.commands.target.set_viewers(0, None);
    }
}
