//! The control socket of another process: stopped, forked, ended. The other process is this test
//! program, run once more.

#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

extern crate arc_inspector_control as control;

mod process;

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use platform::descriptors::Table;
use platform::testing::{self, in_child, open_sockets, wait_until_stopped, Signal};
use process::{Client, Process};
use segment::layout::LAYOUT_VERSION;
use serde_json::json;

/// Names the socket's path for the program, run once more.
const SOCKET: &str = "ARC_INSPECTOR_TEST_SOCKET";

/// Not a test by itself: the code of the other process. It serves until its input ends, and forks
/// on request.
#[test]
fn other_process() {
    let Some(path) = std::env::var_os(SOCKET) else { return };
    let open_before = open_sockets();
    control::start(Path::new(&path), Arc::new(Process::default()), Table::open()).unwrap();
    let mut input = std::io::stdin();
    let mut byte = [0_u8];
    while input.read(&mut byte).is_ok_and(|count| count == 1) {
        fork_and_look(open_before);
    }
    control::stop();
}

/// Fork a child that forgets the socket, and fail unless nothing of it is left there.
fn fork_and_look(open_before: usize) {
    let code = in_child(|| {
        // SAFETY: the child's only thread.
        unsafe { control::after_fork() };
        let is_clean = control::running().is_none() && open_sockets() == open_before;
        i32::from(!is_clean)
    });
    std::fs::write(report_path(), if code == 0 { "clean" } else { "unclean" }).unwrap();
}

fn report_path() -> PathBuf {
    PathBuf::from(std::env::var_os(SOCKET).unwrap()).with_extension("report")
}

/// The other process.
struct Other {
    child: Child,
    directory: PathBuf,
    path: PathBuf,
}

impl Other {
    fn start(name: &str) -> Self {
        Self::start_with(name, "own")
    }

    /// `table`: where its descriptors are, `own` or `shared` with the program.
    fn start_with(name: &str, table: &str) -> Self {
        let directory = std::env::temp_dir().join(format!("ai-{name}-{}", std::process::id()));
        std::fs::create_dir(&directory).unwrap();
        let path = directory.join("a.sock");
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "other_process", "--nocapture"])
            .env(SOCKET, &path)
            .env("ARC_INSPECTOR_DESCRIPTORS", table);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let other = Self { child, directory, path };
        Process::default().wait_for("the socket", |_| UnixStream::connect(&other.path).is_ok());
        other
    }

    fn connect(&self) -> Client {
        let mut client = Client::connect(&self.path);
        assert_eq!(
            client.ask(json!({"nonce": 1, "op": "hello", "armed": true, "layout": LAYOUT_VERSION}))
                ["ok"],
            true
        );
        client
    }

    /// Stop it, and return when it stands still.
    fn stop(&self) {
        self.signal(Signal::Stop);
        wait_until_stopped(self.child.id());
    }

    fn signal(&self, signal: Signal) {
        testing::signal(self.child.id(), signal);
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // It has ended already in the test that kills it.
        let _ = self.child.kill();
        self.child.wait().unwrap();
        std::fs::remove_dir_all(&self.directory).unwrap();
    }
}

#[test]
fn a_close_given_up_while_the_process_was_stopped_is_not_done_when_it_runs_again() {
    let other = Other::start("stopped");
    let mut client = other.connect();
    other.stop();
    client.send(json!({"nonce": 2, "op": "close", "handles": [6], "deadline_ms": 200}));
    client.stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let waited = client.reader.read(&mut [0]).unwrap_err();
    assert_eq!(waited.kind(), ErrorKind::WouldBlock);
    other.signal(Signal::Continue);
    client.stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let answer = client.read();
    assert_eq!((&answer["nonce"], &answer["status"]), (&json!(2), &json!("GivenUp")));
    assert_eq!(
        client.ask(json!({"nonce": 3, "op": "close", "handles": [6]}))["answers"][0]["outcome"],
        "closed"
    );
}

#[test]
fn a_viewer_that_hung_up_while_the_process_was_stopped_is_forgotten() {
    let other = Other::start("hung-up");
    let mut client = other.connect();
    let mut watcher = other.connect();
    other.stop();
    client.send(json!({"nonce": 2, "op": "close", "handles": [6]}));
    drop(client);
    other.signal(Signal::Continue);
    let viewers = std::cell::RefCell::new(&mut watcher);
    Process::default().wait_for("one viewer", |_| {
        viewers.borrow_mut().ask(json!({"nonce": 3, "op": "ping"}))["viewers"] == 1
    });
}

#[test]
fn a_forked_child_keeps_no_socket_of_its_parent() {
    for table in ["own", "shared"] {
        let mut other = Other::start_with(&format!("forked-{table}"), table);
        let mut client = other.connect();
        other.child.stdin.as_mut().unwrap().write_all(b"f").unwrap();
        let report = other.path.with_extension("report");
        Process::default().wait_for("the child's end", |_| {
            std::fs::read(&report).is_ok_and(|text| !text.is_empty())
        });
        assert_eq!(std::fs::read_to_string(&report).unwrap(), "clean");
        assert_eq!(client.ask(json!({"nonce": 2, "op": "ping"}))["ok"], true);
    }
}

#[test]
fn a_killed_process_hangs_up() {
    let other = Other::start("killed");
    let mut client = other.connect();
    other.signal(Signal::Kill);
    client.expect_end();
}
