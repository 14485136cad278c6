//! A simple process to serve, and two peers of its control socket: a viewer and the interpreter's
//! worker.

#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use control::wire::Fields;
use control::{CloseAnswer, CloseWish, Control, Identity, Next, Target, Totals};
use platform::descriptors::Table;
use platform::testing::{become_nobody, fork, End};
use segment::layout::LAYOUT_VERSION;
use serde_json::{json, Value};

/// How long anything may take on a busy machine before a test gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// The effects of the control socket on the process. Handles from 100 on are an adapter's; closing
/// 66 panics.
#[derive(Default)]
pub struct Process {
    pub level: AtomicU8,
    pub viewers: AtomicU32,
    pub drops: AtomicU32,
    pub panics: AtomicU32,
    pub beats: AtomicU32,
    pub closing: AtomicU32,
    pub cpu_nanos: AtomicU64,
    pub lost_descriptors: AtomicU64,
    pub interval: Mutex<Option<Duration>>,
    pub totals: Mutex<Totals>,
    pub closed: Mutex<Vec<u64>>,
    /// Held by a test that wants closes to hang.
    pub gate: Mutex<()>,
}

impl Process {
    /// Wait until `condition` holds.
    pub fn wait_for(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        let started = Instant::now();
        while !condition(self) {
            assert!(started.elapsed() < PATIENCE, "waited in vain for {what}");
            std::thread::yield_now();
        }
    }

    /// Let so much happen.
    pub fn add_totals(&self, released: u64, closed: u64, pending: u64) {
        let mut totals = self.totals.lock().unwrap();
        totals.released += released;
        totals.closed += closed;
        totals.pending += pending;
    }
}

impl Target for Process {
    fn identity(&self) -> Identity {
        Identity { pid: 4711, start_time: 99 }
    }

    fn level(&self) -> u8 {
        self.level.load(Ordering::SeqCst)
    }

    fn idle_level(&self) -> u8 {
        1
    }

    fn set_level(&self, level: u8) {
        self.level.store(level, Ordering::SeqCst);
    }

    fn set_viewers(&self, count: u32, interval: Option<Duration>) {
        *self.interval.lock().unwrap() = interval;
        self.viewers.store(count, Ordering::SeqCst);
    }

    fn set_type_level(&self, type_id: u16, level: u8) -> bool {
        type_id == 1 && level <= 3
    }

    fn holders(&self, handle: u64) -> Fields {
        Fields::from_iter([("asked".to_owned(), handle.into())])
    }

    fn interpreter_answered(&self) {
        self.beats.fetch_add(1, Ordering::SeqCst);
    }

    fn may_have_interpreter(&self) -> bool {
        true
    }

    fn count_drop(&self) {
        self.drops.fetch_add(1, Ordering::SeqCst);
    }

    fn count_panic(&self) {
        self.panics.fetch_add(1, Ordering::SeqCst);
    }

    fn count_lost_descriptors(&self, count: u64) {
        self.lost_descriptors.fetch_add(count, Ordering::SeqCst);
    }

    fn add_cpu(&self, nanos: u64) {
        self.cpu_nanos.fetch_add(nanos, Ordering::SeqCst);
    }

    fn totals(&self) -> Totals {
        *self.totals.lock().unwrap()
    }

    fn preview(&self, handle: u64) -> Option<CloseAnswer> {
        (handle < 100).then(|| CloseAnswer::new(handle, "would_close", ""))
    }

    fn close(&self, handle: u64, _wish: CloseWish) -> Option<CloseAnswer> {
        assert_ne!(handle, 66, "a close method that panics");
        if handle >= 100 {
            return None;
        }
        self.closing.fetch_add(1, Ordering::SeqCst);
        drop(self.gate.lock());
        self.closed.lock().unwrap().push(handle);
        Some(CloseAnswer::new(handle, "closed", ""))
    }

    fn cancel(&self, handle: u64) -> Result<(), String> {
        if handle == 6 {
            Ok(())
        } else {
            Err(format!("#{}.0 has no close to cancel", handle >> 1))
        }
    }

    fn drain(&self) -> usize {
        4
    }
}

/// A control socket that serves a `Process`.
pub struct Served {
    pub process: Arc<Process>,
    pub control: Arc<Control>,
    pub path: PathBuf,
    directory: PathBuf,
}

impl Served {
    /// Start serving in a directory of its own.
    pub fn new() -> Self {
        static SERIAL: AtomicU32 = AtomicU32::new(0);
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let directory =
            std::env::temp_dir().join(format!("ai-control-{}-{serial}", std::process::id()));
        std::fs::create_dir(&directory).unwrap();
        let path = directory.join("4711-99.sock");
        let process = Arc::new(Process::default());
        process.set_level(1);
        let control = Arc::new(Control::start(&path, process.clone(), Table::open()).unwrap());
        Self { process, control, path, directory }
    }

    /// Play the interpreter: take the next job, which must be of `op` once beats are answered.
    /// Returns its number.
    pub fn next_job(&self, op: &str) -> u64 {
        let (number, found) = self.next_of(op, PATIENCE).unwrap_or_else(|| panic!("no job {op}"));
        assert_eq!(found, op);
        number
    }

    /// Play the interpreter: nothing but beats waits for it now.
    pub fn expect_no_job(&self) {
        assert_eq!(self.next_of("", Duration::ZERO), None);
    }

    /// Number and operation of the next job that is wanted or no beat; other beats are answered.
    fn next_of(&self, wanted: &str, timeout: Duration) -> Option<(u64, String)> {
        loop {
            let Next::Job(job) = self.control.jobs().next(Some(timeout), 1 << 20) else {
                return None;
            };
            let job: Value = serde_json::from_slice(&job).unwrap();
            let (number, op) = (job["job"].as_u64().unwrap(), job["op"].as_str().unwrap());
            if op == wanted || op != "beat" {
                return Some((number, op.to_owned()));
            }
            assert!(self.control.jobs().reply(number, b"{\"ok\": true}"));
        }
    }

    /// Jobs that wait for the interpreter.
    pub fn waiting(&self) -> u64 {
        self.control.jobs().interpreter(Instant::now())["waiting"].as_u64().unwrap()
    }

    /// Let every user reach the socket, as a misconfigured machine would.
    pub fn open_to_all(&self) {
        std::fs::set_permissions(&self.directory, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::set_permissions(&self.path, std::fs::Permissions::from_mode(0o666)).unwrap();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.control.stop();
        std::fs::remove_dir_all(&self.directory).unwrap();
    }
}

/// A viewer.
pub struct Client {
    pub stream: UnixStream,
    pub reader: BufReader<UnixStream>,
}

impl Client {
    /// Connect and say nothing.
    pub fn new(served: &Served) -> Self {
        Self::connect(&served.path)
    }

    /// Connect to the socket at `path` and say nothing.
    pub fn connect(path: &Path) -> Self {
        let stream = UnixStream::connect(path).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let reader = BufReader::new(stream.try_clone().unwrap());
        Self { stream, reader }
    }

    /// Connect and say hello with these settings.
    pub fn greeted(served: &Served, wishes: Value) -> Self {
        let mut client = Self::new(served);
        let mut hello = json!({"nonce": 1, "op": "hello", "layout": LAYOUT_VERSION, "armed": true});
        hello.as_object_mut().unwrap().extend(wishes.as_object().unwrap().clone());
        assert_eq!(client.ask(hello)["ok"], true);
        client
    }

    /// Send a request.
    pub fn send(&mut self, request: Value) {
        self.stream.write_all(format!("{request}\n").as_bytes()).unwrap();
    }

    /// The next answer.
    pub fn read(&mut self) -> Value {
        let mut line = String::new();
        self.reader.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    /// Send a request and read an answer.
    pub fn ask(&mut self, request: Value) -> Value {
        self.send(request);
        self.read()
    }

    /// The other side says no more and hangs up.
    pub fn expect_end(&mut self) {
        let mut rest = Vec::new();
        // A reset is an end as well: bytes that we sent were not read.
        if self.reader.read_to_end(&mut rest).is_ok() {
            assert_eq!(rest, b"");
        }
    }
}

/// A thread that answers jobs as the interpreter would; beats it answers by itself.
pub struct Worker {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Answer each job with the result of `answer`.
    pub fn start(
        served: &Served,
        answer: impl Fn(&Process, &Value) -> Value + Send + 'static,
    ) -> Self {
        let (process, control) = (served.process.clone(), served.control.clone());
        let stop = Arc::new(AtomicBool::new(false));
        let is_stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            while !is_stopped.load(Ordering::SeqCst) {
                let Next::Job(bytes) =
                    control.jobs().next(Some(Duration::from_millis(50)), 1 << 20)
                else {
                    continue;
                };
                let job: Value = serde_json::from_slice(&bytes).unwrap();
                let reply =
                    if job["op"] == "beat" { json!({"ok": true}) } else { answer(&process, &job) };
                assert!(control
                    .jobs()
                    .reply(job["job"].as_u64().unwrap(), reply.to_string().as_bytes()));
            }
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let ended = self.thread.take().unwrap().join();
        assert!(ended.is_ok() || std::thread::panicking());
    }
}

/// Connect as user 65534 from a child process and return the error that comes back.
pub fn as_nobody(path: &Path) -> String {
    let (mut near, far) = UnixStream::pair().unwrap();
    let child = fork(|| {
        let copied = become_nobody() && copy_line(path, &far).is_some();
        i32::from(!copied)
    });
    drop(far);
    let mut line = String::new();
    near.read_to_string(&mut line).unwrap();
    assert_eq!(child.end(), End::Exit(0));
    serde_json::from_str::<Value>(&line).unwrap()["error"].as_str().unwrap().to_owned()
}

fn copy_line(path: &Path, mut to: &UnixStream) -> Option<()> {
    let mut bytes = [0_u8; 512];
    let count = UnixStream::connect(path).ok()?.read(&mut bytes).ok()?;
    to.write_all(&bytes[..count]).ok()
}
