//! A viewer attached to a real process: to this process. Its segment through the reader, its
//! control socket, its sampler.

#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

#[path = "../../viewer/tests/image/mod.rs"]
mod image;
#[path = "../../control/tests/process/mod.rs"]
mod process;

use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::ptr::null_mut;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use agent::Options;
use arc_inspector_native::control::{ai_control_next, ai_control_reply};
use arc_inspector_native::handles::{ai_handle_clone, ai_handle_release};
use arc_inspector_native::journals::ai_journal_open;
use arc_inspector_native::samples::{ai_todo_item_new, ai_todo_list_add_item, ai_todo_list_new};
use arc_inspector_native::AiText;
use control::Stay;
use image::Scratch;
use process::Client;
use segment::layout::{
    Ending, HandleSlot, ReferenceState, ResourceState, COUNT_UNKNOWN, LAYOUT_VERSION,
};
use serde_json::{json, Value};
use viewer::reader::{zeroed, Reader};

/// There is one agent a process, so its tests take turns.
static TURN: Mutex<()> = Mutex::new(());

/// Directory of the segments. The same for all runs: a process has one segment for life, and the
/// next run sweeps the last run's segment.
fn directory() -> PathBuf {
    let path = std::env::temp_dir().join("arc-inspector-test-attached");
    match DirBuilder::new().mode(0o700).create(&path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            panic!("{error}: {}", path.display())
        }
        _ => path,
    }
}

struct Attached {
    reader: Reader,
    path: PathBuf,
    handles: Vec<u64>,
    scratch: Scratch,
    _turn: MutexGuard<'static, ()>,
}

impl Attached {
    fn start() -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let directory = directory();
        let options = Options {
            level: 1,
            idle_level: 1,
            program: "a test",
            runtime: "Rust",
            directory: Some(&directory),
            stay: Stay::default(),
        };
        agent::start(&options).unwrap();
        let path = agent::segment_path().unwrap();
        let reader = Reader::open(&path).unwrap();
        Self { reader, path, handles: Vec::new(), scratch: Scratch::new(), _turn: turn }
    }

    fn connect(&self) -> Client {
        let mut client = Client::connect(&self.path.with_extension("sock"));
        let answer = client.ask(json!({"nonce": 1, "op": "hello", "armed": true, "layout": LAYOUT_VERSION, "interval_ms": 10}));
        assert_eq!((&answer["ok"], &answer["pid"]), (&json!(true), &json!(std::process::id())));
        client
    }

    /// A handle that a call returned; released at the end.
    fn keep(&mut self, call: impl FnOnce(*mut u64) -> i32) -> u64 {
        let mut handle = 0;
        assert_eq!(call(&mut handle), 0);
        self.handles.push(handle);
        handle
    }

    fn journal(&mut self, name: &str) -> u64 {
        let path = self.scratch.path(name).into_os_string().into_string().unwrap();
        // SAFETY: the text outlives the call.
        self.keep(|out| unsafe {
            ai_journal_open(AiText { data: path.as_ptr(), length: path.len() }, out, null_mut())
        })
    }

    /// The row of a handle, as a viewer reads it.
    fn row(&self, handle: u64) -> HandleSlot {
        let mut rows = vec![zeroed::<HandleSlot>(); 1 << 16];
        let mut indices = vec![0; 1 << 16];
        let found = self.reader.live(&mut rows, &mut indices).unwrap().rows;
        let position = indices[..found].binary_search(&((handle as u32) >> 1)).unwrap();
        rows[position]
    }

    /// The row once the sampler made `condition` true of it.
    fn row_when(&self, handle: u64, condition: impl Fn(&HandleSlot) -> bool) -> HandleSlot {
        let started = Instant::now();
        loop {
            let row = self.row(handle);
            if condition(&row) {
                return row;
            }
            assert!(started.elapsed() < Duration::from_secs(30), "waited in vain: {row:?}");
            std::thread::yield_now();
        }
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        for handle in std::mem::take(&mut self.handles) {
            // SAFETY: no error is asked for.
            unsafe { ai_handle_release(handle, null_mut()) };
        }
        agent::stop();
    }
}

fn close(client: &mut Client, op: &str, handle: u64, although_held: bool) -> Value {
    let answer = client
        .ask(json!({"nonce": 2, "op": op, "handles": [handle], "although_held": although_held}));
    answer["answers"][0].clone()
}

#[test]
fn a_shared_item_shows_its_handle_and_the_list_that_holds_it() {
    let mut attached = Attached::start();
    let text = "milk";
    // SAFETY: the places outlive the calls; no error is asked for.
    let list = attached.keep(|out| unsafe { ai_todo_list_new(out, null_mut()) });
    // SAFETY: as above, and the text is static.
    let item = attached.keep(|out| unsafe {
        ai_todo_item_new(AiText { data: text.as_ptr(), length: text.len() }, out, null_mut())
    });
    let _client = attached.connect();
    let alone = attached.row_when(item, |row| row.strong == 1);
    assert_eq!(
        (alone.reference_state, alone.weak, alone.in_flight),
        (ReferenceState::Live as u8, 0, COUNT_UNKNOWN)
    );
    // SAFETY: no error is asked for.
    assert_eq!(unsafe { ai_todo_list_add_item(list, item, null_mut()) }, 0);
    attached.row_when(item, |row| row.strong == 2);
    assert_eq!(attached.row_when(list, |row| row.strong == 1).generation, (list >> 32) as u32);
    let header = attached.reader.header().unwrap();
    assert!(header.viewers == 1 && header.sampled_at_ticks > 0 && header.agent_cpu_nanos > 0);
    assert!(attached.reader.is_locked().unwrap());
}

#[test]
fn a_journal_is_previewed_and_closed_through_the_socket_once() {
    let mut attached = Attached::start();
    let journal = attached.journal("a.log");
    let mut client = attached.connect();
    assert_eq!(close(&mut client, "preview", journal, false)["outcome"], "would_close");
    assert_eq!(attached.row(journal).resource_state, ResourceState::Open as u8);
    assert_eq!(close(&mut client, "close", journal, false)["outcome"], "closed");
    assert_eq!(attached.row(journal).resource_state, ResourceState::Closed as u8);
    assert_eq!(close(&mut client, "close", journal, false)["outcome"], "refused");
}

#[test]
fn a_journal_that_others_hold_is_refused_with_their_names_unless_that_is_wanted() {
    let mut attached = Attached::start();
    let journal = attached.journal("b.log");
    // SAFETY: the place outlives the call; no error is asked for.
    let other = attached.keep(|out| unsafe { ai_handle_clone(journal, out, null_mut()) });
    let mut client = attached.connect();
    let refused = close(&mut client, "close", journal, false);
    assert_eq!(refused["outcome"], "refused");
    assert_eq!(
        refused["holders"],
        json!([format!("handle #{}.{}", (other as u32) >> 1, other >> 32)])
    );
    assert_eq!(attached.row(journal).resource_state, ResourceState::Open as u8);
    assert_eq!(close(&mut client, "close", journal, true)["outcome"], "closed");
    assert_eq!(attached.row(other).resource_state, ResourceState::Closed as u8);
}

#[test]
fn a_type_that_did_not_opt_in_is_refused_with_the_reason() {
    let mut attached = Attached::start();
    // SAFETY: the place outlives the call; no error is asked for.
    let list = attached.keep(|out| unsafe { ai_todo_list_new(out, null_mut()) });
    let mut client = attached.connect();
    let refused = close(&mut client, "close", list, false);
    assert_eq!(refused["outcome"], "refused");
    assert!(refused["reason"].as_str().unwrap().contains("TodoList"), "{refused}");
}

#[test]
fn a_collection_counts_the_handles_that_it_released() {
    let mut attached = Attached::start();
    // SAFETY: the place outlives the call; no error is asked for.
    let garbage = attached.keep(|out| unsafe { ai_todo_list_new(out, null_mut()) });
    attached.handles.clear();
    let mut client = attached.connect();
    let mut buffer = vec![0_u8; 1 << 20];
    // SAFETY: the buffer has the length passed.
    unsafe { ai_control_next(buffer.as_mut_ptr(), buffer.len(), 0) }; // there is a worker
    client.send(json!({"nonce": 2, "op": "gc"}));
    loop {
        // SAFETY: the buffer has the length passed.
        let length = unsafe { ai_control_next(buffer.as_mut_ptr(), buffer.len(), 30_000) };
        let job: Value =
            serde_json::from_slice(&buffer[..usize::try_from(length).unwrap()]).unwrap();
        let reply = if job["op"] == "gc" {
            // SAFETY: no error is asked for.
            assert_eq!(unsafe { ai_handle_release(garbage, null_mut()) }, 0);
            json!({"ok": true, "collected": 1, "uncollectable": 0, "took_nanos": 10})
        } else {
            json!({"ok": true})
        };
        let bytes = reply.to_string();
        assert_eq!(
            // SAFETY: the text outlives the call.
            unsafe { ai_control_reply(job["job"].as_u64().unwrap(), bytes.as_ptr(), bytes.len()) },
            0
        );
        if job["op"] == "gc" {
            break;
        }
    }
    let answer = client.read();
    assert_eq!(
        (&answer["collected"], &answer["released"], &answer["still_pending"]),
        (&json!(1), &json!(1), &json!(0))
    );
    assert!(attached.reader.header().unwrap().interpreter_ticks > 0);
}

#[test]
fn a_program_without_an_interpreter_says_that_nothing_collects_there() {
    let attached = Attached::start();
    let answer = attached.connect().ask(json!({"nonce": 2, "op": "gc", "deadline_ms": 60_000}));
    assert_eq!(answer["status"], "Unavailable");
    assert!(
        answer["error"].as_str().unwrap().contains("it can ask none to collect garbage"),
        "{answer}"
    );
}

#[test]
fn a_stopped_agent_leaves_a_segment_that_says_so_and_sends_the_worker_home() {
    let attached = Attached::start();
    let mut client = attached.connect();
    agent::stop();
    client.expect_end();
    assert!(control::running().is_none());
    let header = attached.reader.header().unwrap();
    assert_eq!((header.ending, header.viewers), (Ending::Stopped as u8, 0));
    assert!(!attached.path.exists() && !attached.path.with_extension("sock").exists());
    let mut buffer = [0_u8; 64];
    // SAFETY: the buffer has the length passed.
    assert_eq!(unsafe { ai_control_next(buffer.as_mut_ptr(), buffer.len(), 0) }, -1);
}
