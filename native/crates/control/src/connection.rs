//! One viewer's connection, as the control thread sees it: bytes in, lines out, and how patient we
//! are.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::peer::Peer;
use crate::wire::{self, LineBuffer, LineTooLong, MAX_LINE_BYTES};

/// How long a peer may take to say hello.
const GREETING_PATIENCE: Duration = Duration::from_secs(5);
/// How long half a line may lie there.
const HALF_LINE_PATIENCE: Duration = Duration::from_secs(10);
/// How long a last line may wait for a peer that does not read.
const FAREWELL_PATIENCE: Duration = Duration::from_secs(1);
/// Bytes read at once, so that a flood from one peer delays no other peer.
const READ_BYTES: usize = 64 << 10;

/// Requests served for one peer in a turn of [`ALLOWANCE_TURN`]; further requests wait, in the end
/// in the peer's own socket.
const ALLOWANCE: u32 = 100;
/// See [`ALLOWANCE`].
const ALLOWANCE_TURN: Duration = Duration::from_millis(100);

/// A viewer's settings for the time of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wishes {
    /// It looks continuously; false: it only asks.
    pub is_viewer: bool,
    /// How often it reads.
    pub interval: Duration,
    /// `Level` it asked for, if it did.
    pub level: Option<u8>,
}

/// The result of a read from the socket.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// Perhaps lines.
    Bytes,
    /// The peer sends no more.
    End,
}

/// A connection.
pub struct Connection {
    /// The other end.
    pub peer: Arc<Peer>,
    /// Set by its hello.
    pub wishes: Option<Wishes>,
    /// It may change the target; its hello said that a person armed actions.
    pub is_armed: bool,
    /// Requests that are still served in this turn, which began then.
    allowance: (u32, Instant),
    lines: LineBuffer,
    since: Instant,
    half_line_since: Option<Instant>,
    farewell_until: Option<Instant>,
}

impl Connection {
    /// A fresh connection.
    pub fn new(peer: Arc<Peer>, now: Instant) -> Self {
        Self {
            peer,
            wishes: None,
            is_armed: false,
            allowance: (ALLOWANCE, now),
            lines: LineBuffer::default(),
            since: now,
            half_line_since: None,
            farewell_until: None,
        }
    }

    /// Read once, unless a line waits to be served: more waits in the peer's own socket.
    pub fn receive(&mut self, now: Instant) -> Received {
        if self.lines.has_line() {
            return Received::Bytes;
        }
        let mut bytes = [0_u8; READ_BYTES];
        match self.peer.stream.read(&mut bytes) {
            Ok(0) => Received::End,
            Ok(count) => {
                self.lines.push(&bytes[..count]);
                self.half_line_since.get_or_insert(now);
                Received::Bytes
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                Received::Bytes
            }
            Err(_) => Received::End,
        }
    }

    /// It is not listened to now: it asked as much as is served in one turn, or reads its answers
    /// too slowly.
    pub fn is_held_back(&mut self, now: Instant) -> bool {
        self.is_throttled(now) || self.peer.is_full()
    }

    /// It asked as much as is served in one turn, and is not listened to until the next.
    pub fn is_throttled(&mut self, now: Instant) -> bool {
        if now >= self.allowance.1 + ALLOWANCE_TURN {
            self.allowance = (ALLOWANCE, now);
        }
        self.allowance.0 == 0
    }

    /// The next whole line. `Err`: the line is longer than a request may be.
    pub fn next_line(&mut self) -> Result<Option<Vec<u8>>, LineTooLong> {
        let line = self.lines.next_line()?.map(<[u8]>::to_vec);
        self.allowance.0 -= u32::from(line.is_some() && self.allowance.0 > 0);
        if self.lines.is_empty() {
            self.half_line_since = None;
        }
        Ok(line)
    }

    /// A line was begun and not ended.
    pub fn has_half_line(&self) -> bool {
        !self.lines.is_empty()
    }

    /// Write one last line and read no more; the connection ends when it is written, or cannot be.
    pub fn dismiss(&mut self, nonce: u64, status: &str, error: &str, now: Instant) {
        self.peer.send(&wire::failure(nonce, status, error));
        self.farewell_until = Some(now + FAREWELL_PATIENCE);
    }

    /// It has its last line.
    pub fn is_dismissed(&self) -> bool {
        self.farewell_until.is_some()
    }

    /// This side ended the connection; a hang-up of the peer is found by reading, after its last
    /// bytes.
    pub fn is_ended(&self) -> bool {
        self.peer.is_hung_up_by_us()
    }

    /// Nothing is left to do for it.
    pub fn is_over(&self, now: Instant) -> bool {
        self.farewell_until.is_some_and(|until| now >= until || !self.peer.has_outgoing())
    }

    /// Why we have waited for it long enough, if so.
    pub fn overdue(&mut self, now: Instant) -> Option<&'static str> {
        if self.is_dismissed() {
            return None;
        }
        if self.peer.is_deaf(now) {
            return Some("answers wait and were not read within 10 s");
        }
        if self.is_held_back(now) {
            // a rest that we do not read is no half line of the peer's
            self.half_line_since = self.half_line_since.map(|_| now);
        }
        if self.wishes.is_none() && now >= self.since + GREETING_PATIENCE {
            return Some("no hello came within 5 s");
        }
        let half_line = self.half_line_since.is_some_and(|since| now >= since + HALF_LINE_PATIENCE);
        half_line.then_some("half a line came and no end of it within 10 s")
    }
}

/// The message about a line that is too long.
pub fn too_long() -> String {
    format!("a line has more than {MAX_LINE_BYTES} bytes")
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    use super::super::waker::in_table;
    use super::*;

    fn connected(now: Instant) -> (Connection, UnixStream) {
        let (near, far) = UnixStream::pair().expect("sockets");
        near.set_nonblocking(true).expect("a socket");
        let (near, waker) = in_table(near);
        (Connection::new(Arc::new(Peer::new(near, (1, 1), waker)), now), far)
    }

    fn greet(connection: &mut Connection) {
        connection.wishes =
            Some(Wishes { is_viewer: true, interval: Duration::from_millis(100), level: None });
    }

    #[test]
    fn one_who_says_no_hello_is_overdue_after_five_seconds_and_never_after_it() {
        let now = Instant::now();
        let (mut connection, _far) = connected(now);
        assert_eq!(connection.overdue(now + GREETING_PATIENCE - Duration::from_millis(1)), None);
        assert_eq!(connection.overdue(now + GREETING_PATIENCE), Some("no hello came within 5 s"));
        greet(&mut connection);
        assert_eq!(connection.overdue(now + GREETING_PATIENCE * 100), None);
    }

    #[test]
    fn one_who_asks_too_much_waits_for_the_next_turn() {
        let now = Instant::now();
        let (mut connection, mut far) = connected(now);
        far.write_all(&b"{}\n".repeat(ALLOWANCE as usize + 5)).expect("room");
        connection.receive(now);
        while !connection.is_throttled(now) {
            assert!(connection.next_line().is_ok_and(|line| line.is_some()));
        }
        assert!(connection.has_half_line() && connection.is_throttled(now + ALLOWANCE_TURN / 2));
        assert!(!connection.is_throttled(now + ALLOWANCE_TURN));
    }

    #[test]
    fn lines_that_wait_to_be_served_are_not_heaped_up() {
        let now = Instant::now();
        let (mut connection, mut far) = connected(now);
        far.write_all(b"{}\n{}\n").expect("room");
        connection.receive(now);
        far.write_all(b"{}\n").expect("room");
        connection.receive(now);
        let served = std::iter::from_fn(|| connection.next_line().ok().flatten()).count();
        assert_eq!(served, 2, "the third waits in the socket");
        connection.receive(now);
        assert_eq!(connection.next_line(), Ok(Some(b"{}".to_vec())));
    }

    #[test]
    fn one_that_does_not_read_is_not_listened_to_and_is_overdue_after_ten_seconds() {
        let now = Instant::now();
        let (mut connection, mut far) = connected(now);
        greet(&mut connection);
        let answer = vec![b'x'; 1 << 20];
        connection.peer.send(&answer);
        assert!(
            connection.peer.flush()
                && connection.is_held_back(now)
                && connection.overdue(now).is_none()
        );
        let later = Instant::now() + Duration::from_secs(10);
        assert_eq!(connection.overdue(later), Some("answers wait and were not read within 10 s"));
        let mut read = vec![0; answer.len()];
        std::thread::scope(|scope| {
            scope.spawn(|| far.read_exact(&mut read));
            while connection.peer.has_outgoing() {
                assert!(connection.peer.flush());
            }
        });
        assert!(!connection.is_held_back(now) && connection.overdue(later).is_none());
    }

    #[test]
    fn half_a_line_is_overdue_after_ten_seconds_and_a_whole_one_is_not() {
        let now = Instant::now();
        let (mut connection, mut far) = connected(now);
        greet(&mut connection);
        far.write_all(b"{").expect("room");
        assert_eq!(connection.receive(now), Received::Bytes);
        assert_eq!(connection.next_line(), Ok(None));
        assert!(connection.has_half_line());
        assert!(connection
            .overdue(now + HALF_LINE_PATIENCE)
            .is_some_and(|why| why.starts_with("half a line")));
        far.write_all(b"}\n").expect("room");
        assert_eq!(connection.receive(now + HALF_LINE_PATIENCE), Received::Bytes);
        assert_eq!(connection.next_line(), Ok(Some(b"{}".to_vec())));
        assert_eq!(connection.overdue(now + HALF_LINE_PATIENCE * 2), None);
    }

    #[test]
    fn one_who_was_dismissed_and_does_not_read_is_let_go_all_the_same() {
        let now = Instant::now();
        let (mut connection, _far) = connected(now);
        connection.dismiss(0, "BadArgument", "go", now);
        assert!(!connection.is_over(now) && connection.overdue(now + GREETING_PATIENCE).is_none());
        assert!(connection.is_over(now + FAREWELL_PATIENCE));
        assert!(connection.peer.flush() && connection.is_over(now));
    }
}
