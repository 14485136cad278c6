//! Both ends of the control socket under a fuzzer: a peer that sends any bytes, and a worker of the
//! interpreter that answers with any bytes.

use std::cell::RefCell;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::audit::Audit;
use super::closer::Closer;
use super::commands::{After, Commands};
use super::connection::{Connection, Received};
use super::jobs::{Jobs, Next};
use super::peer::Peer;
use super::target::quiet::Quiet;
use super::target::Target;
use super::waker::in_table;
use crate::wire::Fields;

/// Room of the worker for one job.
const JOB_BYTES: usize = 1 << 16;
/// Handles of more closes than that are not served by the closer's thread in one case.
const MOST_ROUNDS: usize = 64;

/// Serve a peer that sends `pieces`, one write each, with a worker that answers its jobs with
/// `answers` in turn.
///
/// # Panics
/// An answer is no line of JSON, or a piece of the machinery failed: a finding.
pub fn serve(pieces: &[&[u8]], answers: &[&[u8]]) {
    let target = Arc::new(Quiet::default());
    let jobs = Arc::new(Jobs::new(Arc::clone(&target) as Arc<dyn Target>));
    let closer = Arc::new(Closer::new(Arc::clone(&target) as Arc<dyn Target>, Arc::clone(&jobs)));
    let (near, mut far) = UnixStream::pair().expect("sockets");
    for end in [&near, &far] {
        end.set_nonblocking(true).expect("a socket that does not block");
    }
    let (near, waker) = in_table(near);
    let commands = Commands {
        target,
        jobs: Arc::clone(&jobs),
        closer: Arc::clone(&closer),
        audit: Arc::new(Audit::default()),
        viewers: RefCell::new(Vec::new()),
    };
    let mut connection = Connection::new(Arc::new(Peer::new(near, (1, 1), waker)), Instant::now());
    let mut answers = answers.iter().cycle();
    let mut heard = Vec::new();
    for piece in pieces.iter().take(MOST_ROUNDS) {
        let is_sent = far.write(piece).is_ok();
        turn(&commands, &mut connection);
        work(&jobs, &mut || answers.next().copied().unwrap_or(b"{}"));
        connection.peer.flush();
        heed(&mut far, &mut heard);
        if !is_sent || connection.is_dismissed() {
            break;
        }
    }
    jobs.stop();
    connection.peer.flush();
    heed(&mut far, &mut heard);
    assert_lines(&heard);
}

/// Read once, and carry out the lines.
fn turn(commands: &Commands, connection: &mut Connection) {
    let arrival = Instant::now();
    let received = connection.receive(arrival);
    while !connection.is_dismissed() {
        match connection.next_line() {
            Ok(Some(line)) => {
                if let After::Wishes(origin) = commands.run_line(connection, &line, arrival) {
                    origin.succeed(commands.state());
                }
            }
            Ok(None) => break,
            Err(_) => connection.dismiss(0, "BadArgument", &super::connection::too_long(), arrival),
        }
    }
    if received == Received::End {
        connection.peer.hang_up();
    }
}

/// Answer the jobs that wait.
fn work<'a>(jobs: &Jobs, answer: &mut impl FnMut() -> &'a [u8]) {
    for _ in 0..MOST_ROUNDS {
        let Next::Job(job) = jobs.next(Some(Duration::ZERO), JOB_BYTES) else { return };
        let fields: Fields = serde_json::from_slice(&job).expect("a job is an object of JSON");
        let number = fields["job"].as_u64().expect("a job has a number");
        jobs.progress(number, answer());
        assert!(jobs.reply(number, answer()), "a job that was handed out waits for its answer");
    }
}

fn heed(far: &mut UnixStream, heard: &mut Vec<u8>) {
    if let Err(error) = far.read_to_end(heard) {
        assert!(
            matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::ConnectionReset),
            "{error}"
        );
    }
}

/// Each whole line is an object of JSON.
fn assert_lines(heard: &[u8]) {
    for line in heard.split_inclusive(|&byte| byte == b'\n') {
        if line.ends_with(b"\n") {
            serde_json::from_slice::<Fields>(line).expect("an answer is an object of JSON");
        }
    }
}
