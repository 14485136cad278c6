//! The control thread: one loop over the listener and the connections. It never waits for the
//! interpreter or for a close.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::commands::{After, Commands};
use super::connection::{too_long, Connection, Received};
use super::listener::Listener;
use super::peer::Peer;
use super::waker::Waker;
use crate::wire;
use platform::descriptors::Descriptor;
use platform::sockets::Waiting;

/// Connections at once.
pub const MAX_CONNECTIONS: usize = 8;
/// How often the loop checks deadlines while a viewer is connected.
const TICK: Duration = Duration::from_millis(100);
/// Waking up so much later than asked means that the process was stopped.
const OVERSLEPT: Duration = Duration::from_millis(250);
/// How often descriptors in the program's table are compared with ours while no viewer is
/// connected.
const IDENTITY_TICK: Duration = Duration::from_secs(1);
/// How long no connection is accepted when the process has no descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// The part of growing sums that the target knows of.
#[derive(Default)]
struct Accounted {
    /// CPU time of this thread and of the table's threads.
    cpu_nanos: u64,
    lost_descriptors: u64,
}

/// The loop's belongings.
pub struct Server {
    listener: Listener,
    waker: Arc<Waker>,
    is_stopping: Arc<AtomicBool>,
    commands: Commands,
    connections: Vec<Connection>,
    accepts_from: Option<Instant>,
    /// A viewer has set the level, so the last viewer that leaves sets it back.
    level_was_set: bool,
    /// Since this time no viewer is connected.
    unused_since: Option<Instant>,
    accounted: Accounted,
}

impl Server {
    /// A server over a bound, non-blocking listener.
    pub fn new(
        listener: Listener,
        waker: Arc<Waker>,
        is_stopping: Arc<AtomicBool>,
        commands: Commands,
    ) -> Self {
        Self {
            listener,
            waker,
            is_stopping,
            commands,
            connections: Vec::new(),
            accepts_from: None,
            level_was_set: false,
            unused_since: Some(Instant::now()),
            accounted: Accounted::default(),
        }
    }

    /// Serve until `stop`.
    pub fn serve(mut self) {
        self.waker.wait_here();
        let mut last_turn = Instant::now();
        loop {
            let (is_acceptable, ready) = self.wait();
            // Acquire pairs with the Release in `stop`.
            if self.is_stopping.load(Ordering::Acquire) {
                break;
            }
            let now = Instant::now();
            // After a stop of the process the arrival time of a line is unknown. It may be as old
            // as the last turn of this loop.
            let is_idle = self.connections.is_empty();
            let arrival =
                if !is_idle && now - last_turn > TICK + OVERSLEPT { last_turn } else { now };
            last_turn = now;
            self.turn(&ready, arrival);
            if is_acceptable {
                self.accept(now);
            }
            self.tick(now);
        }
        self.end();
    }

    /// Wait for something to happen. Answers whether a connection can be accepted, and which of the
    /// connections are ready.
    fn wait(&mut self) -> (bool, Vec<bool>) {
        let now = Instant::now();
        let accepts = self.accepts_from.is_none();
        let listening = if accepts { self.renewed_listener(now) } else { None };
        // without free descriptors in the process there may be no waker; then the tick replaces it
        let mut waiting = vec![
            self.waker.waiting().unwrap_or(Waiting::nothing()),
            listening.unwrap_or(Waiting::nothing()),
        ];
        let connections = self.connections.iter_mut();
        waiting.extend(connections.map(|it| {
            match (it.peer.stream.number(), it.peer.is_full(), it.is_throttled(now)) {
                (Err(_), ..) | (Ok(_), false, true) => Waiting::nothing(),
                (Ok(number), true, _) => Waiting::to_write(number),
                (Ok(number), false, false) => Waiting::new(number, it.peer.has_outgoing()),
            }
        }));
        let is_idle = self.connections.is_empty() && listening.is_some();
        let leaves_in = self.leaves_in(now);
        let table = self.listener.descriptor.table();
        // a program's table is checked again and again: no event reports a closed descriptor
        let looks_in = (!table.is_private()).then_some(IDENTITY_TICK);
        let idle_tick = looks_in.into_iter().chain(leaves_in).min();
        if table.wait(&mut waiting, if is_idle { idle_tick } else { Some(TICK) }).is_err() {
            // The kernel is out of memory; the loop must not spin because of it.
            std::thread::sleep(TICK);
        }
        if waiting[0].is_ready() {
            self.waker.clear();
        }
        (waiting[1].is_ready(), waiting[2..].iter().map(Waiting::is_ready).collect())
    }

    /// The descriptor to wait on for connections; None when there cannot be a listener now.
    fn renewed_listener(&mut self, now: Instant) -> Option<Waiting> {
        let number = self.listener.renew().and_then(|()| self.listener.descriptor.number());
        if number.is_err() {
            self.accepts_from = Some(now + ACCEPT_PAUSE);
        }
        number.ok().map(|number| Waiting::new(number, false))
    }

    /// Read and carry out the requests of the ready connections.
    fn turn(&mut self, ready: &[bool], arrival: Instant) {
        let now = Instant::now();
        for (position, &is_ready) in ready.iter().enumerate() {
            let connection = &mut self.connections[position];
            if is_ready && connection.peer.is_full() {
                // false: it has closed, which the next check of deadlines notices
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
                    if let After::Wishes(origin) =
                        self.commands.run_line(connection, &line, arrival)
                    {
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
        match self.listener.descriptor.accept() {
            Ok(stream) => {
                if let Err((stream, status, why)) = self.admit(stream, now) {
                    self.commands.target.count_drop();
                    // One line at most fits into a fresh socket's buffer; a closed peer needs none.
                    let _ = stream.send(&wire::failure(0, status, &why));
                }
            }
            Err(error) if platform::is_without_descriptors(&error) => {
                self.accepts_from = Some(now + ACCEPT_PAUSE);
            }
            Err(_) => {}
        }
    }

    /// Time until an unused agent leaves by itself; None: it stays.
    fn leaves_in(&self, now: Instant) -> Option<Duration> {
        let (since, after) = (self.unused_since?, self.commands.target.stay().leaves_after?);
        // a millisecond more, which is as exactly as can be waited
        Some((since + after).saturating_duration_since(now) + Duration::from_millis(1))
    }

    /// Note when the last viewer left, and have the agent leave once that was long enough ago.
    fn leave_when_unused(&mut self, now: Instant) {
        if !self.connections.is_empty() {
            self.unused_since = None;
            return self.commands.jobs.stay();
        }
        let since = *self.unused_since.get_or_insert(now);
        let is_over =
            self.commands.target.stay().leaves_after.is_some_and(|after| now >= since + after);
        if is_over {
            self.unused_since = Some(now);
            self.commands.jobs.leave();
        }
    }

    fn admit(
        &mut self,
        stream: Descriptor,
        now: Instant,
    ) -> Result<(), (Descriptor, &'static str, String)> {
        let own = platform::user_id();
        let (pid, uid) = match stream.peer() {
            Ok(peer) => peer,
            Err(error) => return Err((stream, "Io", format!("{error}: looking who connects"))),
        };
        if uid != own && uid != 0 {
            let why = format!("user {uid} may not inspect a process of user {own}");
            return Err((stream, "Unavailable", why));
        }
        if self.connections.len() >= MAX_CONNECTIONS {
            return Err((
                stream,
                "TableFull",
                format!("{MAX_CONNECTIONS} viewers are connected already"),
            ));
        }
        let peer = Peer::new(stream, (pid, uid), Arc::clone(&self.waker));
        self.connections.push(Connection::new(Arc::new(peer), now));
        Ok(())
    }

    /// Write waiting answers, check deadlines, and drop connections that ended.
    fn tick(&mut self, now: Instant) {
        self.accepts_from = self.accepts_from.filter(|&from| now < from);
        self.commands.jobs.drop_given_up();
        self.commands.jobs.refuse_without_worker(now);
        self.commands.closer.drop_given_up();
        if self.connections.iter().any(|connection| connection.wishes.is_some()) {
            self.commands.jobs.beat(now);
        }
        if self.connections.iter().any(|connection| connection.peer.is_full()) {
            // the work held back for a peer that reads again continues
            self.commands.jobs.wake();
            self.commands.closer.wake();
        }
        for connection in &mut self.connections {
            if let Some(why) = connection.overdue(now) {
                self.commands.target.count_drop();
                connection.dismiss(0, "GivenUp", why, now);
            }
            let is_lost = connection.peer.stream.is_lost();
            if is_lost {
                connection.peer.stream.table().count_lost();
            }
            if is_lost || !connection.peer.flush() || connection.is_over(now) {
                connection.peer.hang_up();
            }
        }
        let before = self.connections.len();
        self.connections.retain(|connection| !connection.is_ended());
        if self.connections.len() != before {
            self.meet_wishes();
        }
        self.leave_when_unused(now);
        self.account();
    }

    fn account(&mut self) {
        let (target, table) = (&self.commands.target, self.listener.descriptor.table());
        let now = Accounted {
            cpu_nanos: platform::thread_cpu_nanos() + table.cpu_nanos(),
            lost_descriptors: table.lost(),
        };
        target.add_cpu(now.cpu_nanos.saturating_sub(self.accounted.cpu_nanos));
        target.count_lost_descriptors(now.lost_descriptors - self.accounted.lost_descriptors);
        self.accounted = now;
    }

    /// Record and sample by the settings of all attached viewers together; without viewers, as
    /// little as when idle.
    fn meet_wishes(&mut self) {
        let wishes = || {
            self.connections
                .iter()
                .filter_map(|connection| connection.wishes)
                .filter(|wishes| wishes.is_viewer)
        };
        let viewing = self
            .connections
            .iter()
            .filter(|connection| connection.wishes.is_some_and(|wishes| wishes.is_viewer));
        let viewers: Vec<u32> = viewing.map(|connection| connection.peer.pid).collect();
        let count = viewers.len() as u32;
        let level = wishes().filter_map(|wishes| wishes.level).max();
        let interval = wishes().map(|wishes| wishes.interval).min();
        let target = &self.commands.target;
        if level.is_some() || self.level_was_set {
            target.set_level(level.unwrap_or_else(|| target.idle_level()));
        }
        self.level_was_set = level.is_some();
        self.commands.viewers.replace(viewers);
        target.set_viewers(count, interval);
    }

    /// Ends all connections. The caller of `stop` sets the level.
    fn end(self) {
        for connection in &self.connections {
            connection.peer.flush();
            connection.peer.hang_up();
        }
        self.commands.target.set_viewers(0, None);
    }
}
