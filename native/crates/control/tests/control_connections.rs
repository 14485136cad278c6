//! Connections to the control socket: which peers are served, and the handling of nonsense, floods
//! and hang-ups.

#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

extern crate arc_inspector_control as control;

mod process;

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::Ordering;

use control::{Next, MAX_CONNECTIONS};
use platform::testing::resident_bytes;
use process::{Client, Served};
use segment::layout::LAYOUT_VERSION;
use serde_json::json;

const ROOM: usize = 1 << 20;

#[test]
fn a_viewer_of_another_version_is_refused_with_both_numbers_and_let_go() {
    let served = Served::new();
    let mut client = Client::new(&served);
    let answer = client.ask(json!({"nonce": 1, "op": "hello", "layout": 9}));
    assert_eq!(answer["status"], "VersionMismatch");
    assert_eq!(
        answer["error"],
        format!("this process writes layout version {LAYOUT_VERSION}, the viewer reads version 9")
    );
    client.expect_end();
    assert_eq!(served.process.viewers.load(Ordering::SeqCst), 0);
}

#[test]
fn a_peer_that_only_asks_and_reads_no_segment_may_know_another_layout() {
    let served = Served::new();
    let mut client = Client::new(&served);
    assert_eq!(
        client
            .ask(json!({"nonce": 1, "op": "hello", "layout": LAYOUT_VERSION - 1, "role": "asker"}))
            ["ok"],
        true
    );
    assert_eq!(client.ask(json!({"nonce": 2, "op": "ping"}))["ok"], true);
}

#[test]
fn a_flood_of_requests_keeps_nobody_else_waiting() {
    let served = Served::new();
    let mut flood = Client::greeted(&served, json!({}));
    let mut other = Client::greeted(&served, json!({}));
    for nonce in 2..1000 {
        flood.send(json!({"nonce": nonce, "op": "ping"}));
    }
    assert_eq!(other.ask(json!({"nonce": 2, "op": "ping"}))["ok"], true);
    for nonce in 2..1000 {
        assert_eq!(flood.read()["nonce"], nonce);
    }
}

#[test]
fn nothing_but_ping_works_before_hello() {
    let served = Served::new();
    let mut client = Client::new(&served);
    assert_eq!(client.ask(json!({"nonce": 1, "op": "gc"}))["error"], "say hello first");
    assert_eq!(client.ask(json!({"nonce": 2, "op": "ping"}))["ok"], true);
}

#[test]
fn garbage_gets_one_line_and_the_end() {
    for garbage in [
        &b"\n"[..],
        b"GET / HTTP/1.1\r\n",
        b"{\"op\": \"ping\"}\n",
        b"[1]\n",
        b"\xFF\xFE\0\n",
        b"{\"nonce\": -1, \"op\": \"ping\"}\n",
    ] {
        let served = Served::new();
        let mut client = Client::new(&served);
        client.stream.write_all(garbage).unwrap();
        let answer = client.read();
        assert_eq!(
            (&answer["ok"], &answer["nonce"], &answer["status"]),
            (&json!(false), &json!(0), &json!("BadArgument"))
        );
        client.expect_end();
        assert_eq!(served.process.drops.load(Ordering::SeqCst), 1);
    }
}

#[test]
fn an_unknown_operation_is_refused_and_the_connection_stays() {
    let served = Served::new();
    let mut client = Client::greeted(&served, json!({}));
    let answer = client.ask(json!({"nonce": 5, "op": "reboot"}));
    assert_eq!((&answer["nonce"], &answer["status"]), (&json!(5), &json!("BadArgument")));
    assert!(answer["error"].as_str().unwrap().contains("unknown variant `reboot`"));
    assert_eq!(
        client.ask(json!({"nonce": 6, "op": "level", "level": 9}))["error"],
        "there is no such level"
    );
    assert_eq!(
        client.ask(json!({"nonce": 7, "op": "ping", "deadline_ms": "soon"}))["error"],
        "deadline_ms is not a time"
    );
    assert_eq!(client.ask(json!({"nonce": 8, "op": "ping"}))["ok"], true);
}

#[test]
fn a_hundred_megabytes_without_a_newline_get_one_line_and_the_end() {
    let served = Served::new();
    let mut client = Client::greeted(&served, json!({}));
    let mut flood = client.stream.try_clone().unwrap();
    let sender = std::thread::spawn(move || {
        let block = vec![b'x'; 1 << 20];
        (0..100).try_for_each(|_| flood.write_all(&block)).is_err()
    });
    assert_eq!(client.read()["error"], "a line has more than 1048576 bytes");
    client.expect_end();
    assert!(sender.join().unwrap(), "the rest was read");
    served.process.wait_for("no viewer", |process| process.viewers.load(Ordering::SeqCst) == 0);
}

#[test]
fn half_a_line_and_a_hang_up_are_counted_and_forgotten() {
    let served = Served::new();
    let mut client = Client::greeted(&served, json!({}));
    client.stream.write_all(b"{\"nonce\": 2, \"op\": \"g").unwrap();
    drop(client);
    served.process.wait_for("a drop", |process| process.drops.load(Ordering::SeqCst) == 1);
    served.process.wait_for("no viewer", |process| process.viewers.load(Ordering::SeqCst) == 0);
}

#[test]
fn lines_may_come_in_pieces_and_in_heaps() {
    let served = Served::new();
    let mut client = Client::greeted(&served, json!({}));
    for byte in b"{\"nonce\": 2, \"op\": \"ping\"}\n" {
        client.stream.write_all(&[*byte]).unwrap();
    }
    assert_eq!(client.read()["nonce"], 2);
    let heap: String =
        (0..500).map(|nonce| format!("{{\"nonce\": {nonce}, \"op\": \"ping\"}}\n")).collect();
    client.stream.write_all(heap.as_bytes()).unwrap();
    for nonce in 0..500 {
        assert_eq!(client.read()["nonce"], nonce);
    }
}

#[test]
fn a_viewer_too_many_is_told_so_and_room_comes_back() {
    let served = Served::new();
    let mut clients: Vec<Client> =
        (0..MAX_CONNECTIONS).map(|_| Client::greeted(&served, json!({}))).collect();
    let mut late = Client::new(&served);
    assert_eq!(late.read()["error"], "8 viewers are connected already");
    late.expect_end();
    clients.pop();
    served.process.wait_for("room", |process| process.viewers.load(Ordering::SeqCst) == 7);
    clients.push(Client::greeted(&served, json!({})));
}

#[test]
fn one_that_never_reads_is_not_read_from_and_the_others_are_served() {
    let served = Served::new();
    let mut deaf = Client::greeted(&served, json!({"armed": false}));
    let mut other = Client::greeted(&served, json!({}));
    for handle in 0..500 {
        let act = json!({"nonce": 2, "op": "close", "handles": vec![u64::MAX - handle; 1000], "withdraw_after_ms": u64::MAX});
        assert_eq!(deaf.ask(act)["status"], "NotArmed");
    }
    deaf.stream.set_nonblocking(true).unwrap();
    let before = resident_bytes();
    let mut written = 0;
    let mut most = 0;
    let line = b"{\"nonce\": 3, \"op\": \"audit\"}\n".repeat(1000);
    for nonce in 4..30 {
        written += deaf.stream.write(&line).unwrap_or(0);
        assert_eq!(other.ask(json!({"nonce": nonce, "op": "ping"}))["nonce"], nonce);
        most = most.max(resident_bytes());
    }
    assert!(written > 1000, "it could ask for much");
    assert!(most < before + (8 << 20), "{} KiB more", (most - before) >> 10);
    deaf.stream.set_nonblocking(false).unwrap();
    for _ in 0..5 {
        assert_eq!(deaf.read()["ok"], true, "one that reads again is served again");
    }
}

#[test]
fn the_socket_is_ours_alone_and_gone_after_the_stop() {
    let served = Served::new();
    assert_eq!(std::fs::metadata(&served.path).unwrap().permissions().mode() & 0o777, 0o600);
    let mut client = Client::greeted(&served, json!({"role": "command"}));
    client.send(json!({"nonce": 2, "op": "gc"}));
    served.process.wait_for("the request", |_| served.waiting() == 1);
    served.control.stop();
    assert!(!served.path.exists());
    let mut rest = String::new();
    client.reader.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("the agent stopped before the interpreter came by"), "{rest}");
    assert_eq!(served.control.jobs().next(None, ROOM), Next::Stopped);
    served.control.stop();
}

#[test]
fn a_stranger_is_refused_by_his_user_number() {
    if platform::user_id() != 0 {
        return; // only root can change its user
    }
    let served = Served::new();
    served.open_to_all();
    assert_eq!(process::as_nobody(&served.path), "user 65534 may not inspect a process of user 0");
}
