//! Answers on the control socket, over real sockets; a thread of the test plays the interpreter's
//! worker if the test needs it.

#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

extern crate arc_inspector_control as control;

mod process;

use std::sync::atomic::Ordering;
use std::time::Duration;

use control::Next;
use process::{Client, Served, Worker};
use segment::layout::LAYOUT_VERSION;
use serde_json::json;

const ROOM: usize = 1 << 20;

#[test]
fn hello_is_answered_with_who_the_process_is_and_what_it_records() {
    let served = Served::new();
    let mut client = Client::new(&served);
    let answer = client.ask(json!({"nonce": 12, "op": "hello", "layout": LAYOUT_VERSION, "role": "viewer", "interval_ms": 50, "level": 2}));
    assert_eq!(answer["nonce"], 12);
    assert_eq!(answer["ok"], true);
    assert_eq!((&answer["pid"], &answer["start_time"]), (&json!(4711), &json!(99)));
    assert_eq!(
        (&answer["level"], &answer["idle_level"], &answer["viewers"]),
        (&json!(2), &json!(1), &json!(1))
    );
    assert_eq!(answer["python"]["answered_ms_ago"], json!(null));
    assert_eq!(*served.process.interval.lock().unwrap(), Some(Duration::from_millis(50)));
}

#[test]
fn one_who_did_not_arm_actions_only_reads() {
    let served = Served::new();
    let mut client = Client::greeted(&served, json!({"armed": false}));
    let acts = [
        json!({"op": "gc"}),
        json!({"op": "close", "handles": [6]}),
        json!({"op": "cancel", "handle": 6}),
        json!({"op": "drain"}),
        json!({"op": "detach"}),
        json!({"op": "declare", "declarations": [{"class": "a.B", "handle": "wipe()"}]}),
    ];
    for (nonce, act) in acts.into_iter().enumerate() {
        let mut request = act.clone();
        request["nonce"] = (nonce + 2).into();
        assert_eq!(client.ask(request)["status"], "NotArmed", "{act}");
    }
    assert!(served.process.closed.lock().unwrap().is_empty());
    assert_eq!(client.ask(json!({"nonce": 9, "op": "preview", "handles": [6]}))["ok"], true);
    assert_eq!(
        client.ask(json!({"nonce": 10, "op": "audit"}))["acts"].as_array().map(Vec::len),
        Some(6)
    );
    served.expect_no_job();
}

#[test]
fn the_level_follows_the_most_demanding_viewer_and_returns_when_the_last_one_goes() {
    let served = Served::new();
    let mut first = Client::greeted(&served, json!({"level": 2, "interval_ms": 500}));
    let second = Client::greeted(&served, json!({"level": 3, "interval_ms": 20}));
    assert_eq!(served.process.level.load(Ordering::SeqCst), 3);
    assert_eq!(*served.process.interval.lock().unwrap(), Some(Duration::from_millis(20)));
    drop(second);
    served.process.wait_for("one viewer", |process| process.viewers.load(Ordering::SeqCst) == 1);
    assert_eq!(served.process.level.load(Ordering::SeqCst), 2);
    assert_eq!(first.ask(json!({"nonce": 2, "op": "level", "level": 0}))["level"], 0);
    drop(first);
    served.process.wait_for("no viewer", |process| process.viewers.load(Ordering::SeqCst) == 0);
    assert_eq!(served.process.level.load(Ordering::SeqCst), 1);
    assert_eq!(*served.process.interval.lock().unwrap(), None);
}

#[test]
fn one_who_only_asks_is_no_viewer_and_changes_no_level() {
    let served = Served::new();
    let mut client = Client::greeted(&served, json!({"role": "command", "level": 3}));
    assert_eq!(client.ask(json!({"nonce": 2, "op": "ping"}))["viewers"], 0);
    assert_eq!(served.process.level.load(Ordering::SeqCst), 1);
    assert_eq!(*served.process.interval.lock().unwrap(), None);
}

#[test]
fn a_viewer_may_ask_to_trace_and_is_served_with_and_without_yama() {
    let served = Served::new();
    let mut client = Client::greeted(&served, json!({"allow_ptrace": true}));
    assert_eq!(client.ask(json!({"nonce": 2, "op": "ping"}))["viewers"], 1);
}

#[test]
fn a_collection_reports_what_it_led_to() {
    let served = Served::new();
    let mut client = Client::greeted(&served, json!({}));
    let _worker = Worker::start(&served, |process, job| {
        assert_eq!(job["op"], "gc");
        process.add_totals(40, 2, 3);
        json!({"ok": true, "collected": 312, "uncollectable": 0, "took_nanos": 5})
    });
    let answer = client.ask(json!({"nonce": 2, "op": "gc"}));
    assert_eq!((&answer["collected"], &answer["released"]), (&json!(312), &json!(40)));
    assert_eq!((&answer["closes_queued"], &answer["still_pending"]), (&json!(5), &json!(3)));
}

#[test]
fn closing_joins_what_native_code_and_what_adapters_decide() {
    let served = Served::new();
    let mut client = Client::greeted(&served, json!({}));
    let _worker = Worker::start(&served, |_, job| {
        assert_eq!(
            (&job["op"], &job["handles"], &job["although_held"]),
            (&json!("close"), &json!([101, 103]), &json!(true))
        );
        json!({"ok": true, "answers": [{"handle": 101, "outcome": "refused", "reason": "did not opt in", "holders": ["a list"]}]})
    });
    let answer = client
        .ask(json!({"nonce": 2, "op": "close", "handles": [6, 101, 103], "although_held": true}));
    let outcomes: Vec<_> = answer["answers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["handle"].clone(), it["outcome"].clone()))
        .collect();
    assert_eq!(
        outcomes,
        [
            (json!(6), json!("closed")),
            (json!(101), json!("refused")),
            (json!(103), json!("refused"))
        ]
    );
    assert_eq!(*served.process.closed.lock().unwrap(), [6]);
}

#[test]
fn a_preview_closes_nothing() {
    let served = Served::new();
    let mut client = Client::greeted(&served, json!({}));
    let answer = client.ask(json!({"nonce": 2, "op": "preview", "handles": [6, 7]}));
    assert_eq!(
        answer["answers"][1],
        json!({"handle": 7, "outcome": "would_close", "reason": "", "holders": []})
    );
    assert!(served.process.closed.lock().unwrap().is_empty());
}

#[test]
fn a_close_that_hangs_holds_up_no_ping_and_no_collection() {
    let served = Served::new();
    let mut client = Client::greeted(&served, json!({}));
    let _worker = Worker::start(&served, |_, _| json!({"ok": true}));
    let gate = served.process.gate.lock().unwrap();
    client.send(json!({"nonce": 2, "op": "close", "handles": [6]}));
    assert_eq!(client.ask(json!({"nonce": 3, "op": "ping"}))["nonce"], 3);
    assert_eq!(client.ask(json!({"nonce": 4, "op": "gc"}))["nonce"], 4);
    drop(gate);
    assert_eq!(client.read()["answers"][0]["outcome"], "closed");
}

#[test]
fn a_held_up_interpreter_is_named_by_ping_and_the_request_is_given_up_in_time() {
    let served = Served::new();
    let mut client = Client::greeted(&served, json!({}));
    client.send(json!({"nonce": 2, "op": "gc", "deadline_ms": 200}));
    let job = served.next_job("gc");
    let ping = client.ask(json!({"nonce": 3, "op": "ping"}));
    assert_eq!(ping["python"]["busy"], "gc");
    assert!(ping["python"]["answered_ms_ago"].is_u64());
    let answer = client.ask(json!({"nonce": 4, "op": "scan", "deadline_ms": 50}));
    assert_eq!((&answer["nonce"], &answer["status"]), (&json!(4), &json!("GivenUp")));
    assert_eq!(served.process.drops.load(Ordering::SeqCst), 1);
    assert!(served.control.jobs().reply(job, br#"{"ok": true, "collected": 1}"#));
    assert_eq!(client.read()["nonce"], 2);
}

#[test]
fn a_command_that_its_viewer_gave_up_never_runs_when_the_worker_comes_back() {
    let served = Served::new();
    let mut client = Client::greeted(&served, json!({"role": "command"}));
    client.send(json!({"nonce": 2, "op": "gc"}));
    assert_eq!(client.ask(json!({"nonce": 3, "op": "ping"}))["python"]["waiting"], 1);
    drop(client);
    served.process.wait_for("a drop", |process| process.drops.load(Ordering::SeqCst) == 1);
    served.expect_no_job();
}

#[test]
fn a_close_that_its_viewer_gave_up_never_runs_when_an_earlier_one_ends() {
    let served = Served::new();
    let mut client = Client::greeted(&served, json!({}));
    let gate = served.process.gate.lock().unwrap();
    client.send(json!({"nonce": 2, "op": "close", "handles": [6]}));
    served
        .process
        .wait_for("a close that hangs", |process| process.closing.load(Ordering::SeqCst) == 1);
    let answer = client.ask(json!({"nonce": 3, "op": "close", "handles": [8], "deadline_ms": 1}));
    assert_eq!((&answer["nonce"], &answer["status"]), (&json!(3), &json!("GivenUp")));
    drop(gate);
    assert_eq!(client.read()["nonce"], 2);
    assert_eq!(*served.process.closed.lock().unwrap(), [6]);
}

#[test]
fn the_interpreter_is_asked_for_a_beat_only_while_somebody_is_connected() {
    let served = Served::new();
    assert_eq!(served.control.jobs().next(Some(Duration::ZERO), ROOM), Next::Nothing);
    let client = Client::greeted(&served, json!({}));
    for _ in 0..3 {
        let beats = served.process.beats.load(Ordering::SeqCst);
        let job = served.next_job("beat");
        assert!(served.control.jobs().reply(job, b"{\"ok\": true}"));
        assert!(served.process.beats.load(Ordering::SeqCst) >= beats + 2);
    }
    drop(client);
    served.process.wait_for("no viewer", |process| process.viewers.load(Ordering::SeqCst) == 0);
}

#[test]
fn errors_and_nonsense_of_the_worker_are_one_line_each() {
    let served = Served::new();
    let mut client = Client::greeted(&served, json!({"role": "command"}));
    let replies: [(&[u8], &str, &str); 3] = [
        (
            br#"{"ok": false, "error": "the adapter\nfailed", "status": "Unavailable"}"#,
            "Unavailable",
            "the adapter failed",
        ),
        (b"\xFF", "BadArgument", "the agent answered with something that is not JSON"),
        (b"{}", "Unavailable", "the agent gave no reason"),
    ];
    for (reply, status, error) in replies {
        client.send(json!({"nonce": 2, "op": "referrers", "handle": 6}));
        let job = served.next_job("referrers");
        assert!(served.control.jobs().reply(job, reply));
        assert!(!served.control.jobs().reply(job, reply), "a job is answered once");
        let answer = client.read();
        assert_eq!((&answer["status"], &answer["error"]), (&json!(status), &json!(error)));
    }
}

#[test]
fn a_job_too_long_for_the_worker_is_refused_and_leaves_no_trace() {
    let served = Served::new();
    let mut client = Client::greeted(&served, json!({"role": "command"}));
    client.send(json!({"nonce": 2, "op": "scan"}));
    served.process.wait_for("the request", |_| served.waiting() == 1);
    assert_eq!(served.control.jobs().next(Some(Duration::ZERO), 4), Next::Nothing);
    assert_eq!(client.read()["status"], "TableFull");
    assert_eq!(client.ask(json!({"nonce": 3, "op": "ping"}))["python"]["busy"], json!(null));
}

#[test]
fn cancel_and_drain_are_answered_by_native_code() {
    let served = Served::new();
    let mut client = Client::greeted(&served, json!({}));
    assert_eq!(client.ask(json!({"nonce": 2, "op": "cancel", "handle": 6}))["ok"], true);
    assert_eq!(
        client.ask(json!({"nonce": 3, "op": "cancel", "handle": 7}))["error"],
        "#3.0 has no close to cancel"
    );
    assert_eq!(client.ask(json!({"nonce": 4, "op": "drain"}))["ran"], 4);
}

#[test]
fn too_many_handles_at_once_are_refused() {
    let served = Served::new();
    let mut client = Client::greeted(&served, json!({}));
    let handles: Vec<u64> = (0..1001).collect();
    let answer = client.ask(json!({"nonce": 2, "op": "close", "handles": handles}));
    assert_eq!(answer["error"], "1001 handles are too many, 1000 go at once");
}

#[test]
fn a_panic_while_closing_is_one_answer_and_the_next_request_works() {
    let served = Served::new();
    let mut client = Client::greeted(&served, json!({}));
    assert_eq!(client.ask(json!({"nonce": 2, "op": "close", "handles": [66]}))["status"], "Panic");
    assert_eq!(
        client.ask(json!({"nonce": 3, "op": "close", "handles": [6]}))["answers"][0]["outcome"],
        "closed"
    );
    assert_eq!(served.process.panics.load(Ordering::SeqCst), 1);
}

#[test]
fn a_full_queue_refuses_what_comes_on_top() {
    let served = Served::new();
    let mut client = Client::greeted(&served, json!({"role": "command"}));
    for nonce in 0..65 {
        client.send(json!({"nonce": nonce, "op": "scan"}));
    }
    let answer = client.read();
    assert_eq!((&answer["nonce"], &answer["status"]), (&json!(64), &json!("TableFull")));
}

#[test]
fn stopping_sends_a_waiting_worker_home_and_waits_for_no_hanging_close() {
    let served = Served::new();
    let mut client = Client::greeted(&served, json!({}));
    let gate = served.process.gate.lock().unwrap();
    client.send(json!({"nonce": 2, "op": "close", "handles": [6]}));
    served
        .process
        .wait_for("a close that hangs", |process| process.closing.load(Ordering::SeqCst) == 1);
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| loop {
            match served.control.jobs().next(None, ROOM) {
                Next::Stopped => return,
                Next::Job(_) | Next::Nothing => {}
            }
        });
        served.control.stop();
        worker.join().unwrap();
    });
    drop(gate);
}

#[test]
fn whoever_waits_for_a_long_job_hears_how_far_it_is_and_may_leave() {
    let served = Served::new();
    let mut client = Client::greeted(&served, json!({}));
    client.send(json!({"nonce": 9, "op": "retainers", "handle": 6}));
    let number = served.next_job("retainers");
    assert!(served.control.jobs().progress(number, br#"{"ok": true, "looked_at": 5}"#));
    let told = client.read();
    assert_eq!(
        (&told["nonce"], &told["looked_at"], &told["more"]),
        (&json!(9), &json!(5), &json!(true))
    );
    drop(client);
    served
        .process
        .wait_for("the viewer to be gone", |_| !served.control.jobs().progress(number, b""));
}

#[test]
fn holders_and_levels_of_types_are_answered_without_the_interpreter() {
    let served = Served::new();
    let mut client = Client::greeted(&served, json!({}));
    assert_eq!(client.ask(json!({"nonce": 2, "op": "holders", "handle": 6}))["asked"], 6);
    assert_eq!(
        client.ask(json!({"nonce": 3, "op": "type_level", "type_id": 1, "level": 3}))["ok"],
        true
    );
    assert_eq!(
        client.ask(json!({"nonce": 4, "op": "type_level", "type_id": 2, "level": 3}))["error"],
        "there is no such type or level"
    );
}
