//! Scarcity: without address space, descriptors or room the process runs on, and so do the children
//! that it forks.

#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

use agent::Options;
use control::Stay;
use objects::ownership;
use objects::ownership::{borrow, lower};
use platform::signals::bus_handler;
use platform::testing::{self, fork, in_child, End, Limit};
use recorder::events;
use recorder::runtime::runtime;
use samples::TodoItem;
use segment::atomic;

/// The number of the check that failed, 0: none did.
fn first_failed(checks: &[bool]) -> i32 {
    checks.iter().position(|&check| !check).map_or(0, |at| at as i32 + 1)
}

fn text_of(handle: u64) -> String {
    borrow::<TodoItem>(handle).map(|item| item.text().to_owned()).unwrap_or_default()
}

/// A child uses the handle that it inherited and makes and releases its own.
fn works(inherited: u64) -> bool {
    let is_usable = text_of(inherited) == "of the parent";
    let made: Vec<u64> =
        (0..3000).filter_map(|_| lower(Arc::new(TodoItem::new("of the child"))).ok()).collect();
    let is_made = made.len() == 3000 && text_of(made[2999]) == "of the child";
    is_usable
        && is_made
        && made.into_iter().all(|handle| ownership::release(runtime(), handle).is_ok())
}

/// Forks in a process of its own with these limits: checks the children's results, and that no
/// effect reached that process.
fn fork_under(limits: &[Limit], body: impl Fn(u64) -> i32) {
    let handle = lower(Arc::new(TodoItem::new("of the parent"))).unwrap();
    let code = in_child(|| {
        let before = events::live_handles(runtime());
        limits.iter().for_each(|&limit| testing::limit(limit));
        assert_eq!(
            [in_child(|| body(handle)), in_child(|| in_child(|| body(handle)))],
            [0, 0],
            "the child, and the child's child"
        );
        assert_eq!(text_of(handle), "of the parent");
        assert_eq!(events::live_handles(runtime()), before);
        assert_eq!(
            atomic!(AtomicU32, runtime().segment().header(), pid).load(Ordering::SeqCst),
            std::process::id()
        );
        0
    });
    assert_eq!(code, 0);
    ownership::release(runtime(), handle).unwrap();
}

#[test]
fn a_child_has_a_segment_of_its_own_although_there_is_no_room_for_a_second_one() {
    fork_under(&[Limit::AddressSpace(16 << 20)], |handle| {
        first_failed(&[works(handle), runtime().segment().has_file()])
    });
}

#[test]
fn a_child_without_a_file_keeps_its_handles_in_private_memory() {
    let limits = [Limit::AddressSpace(16 << 20), Limit::Descriptors(0)];
    fork_under(&limits, |handle| first_failed(&[works(handle), !runtime().segment().has_file()]));
}

#[test]
fn a_child_for_which_there_is_no_room_at_all_goes_on_with_new_handles() {
    let limits = [Limit::AddressSpace(0), Limit::Descriptors(0)];
    fork_under(&limits, |handle| {
        let is_stale = borrow::<TodoItem>(handle).is_err();
        let made = lower(Arc::new(TodoItem::new("new"))).unwrap_or(0);
        let is_new = made != handle && text_of(made) == "new";
        first_failed(&[
            is_stale,
            is_new,
            ownership::release(runtime(), made).is_ok(),
            events::live_handles(runtime()) == 0,
        ])
    });
}

#[test]
fn a_file_beyond_the_limit_of_file_sizes_is_an_error_and_no_signal() {
    testing::end_at_the_limit_of_file_sizes();
    fork_under(&[Limit::FileSize(1 << 20)], |handle| {
        first_failed(&[works(handle), !runtime().segment().has_file()])
    });
}

#[test]
fn a_process_whose_segment_is_truncated_goes_on_with_new_handles() {
    let options = Options {
        level: 1,
        idle_level: 1,
        program: "a test",
        runtime: "Rust",
        directory: None,
        stay: Stay::default(),
    };
    for length in [0, 4096] {
        let code = in_child(|| {
            let handle = lower(Arc::new(TodoItem::new("of before"))).unwrap();
            let before = bus_handler();
            agent::start(&options).unwrap();
            let path = agent::segment_path().unwrap();
            let is_watched = bus_handler() != before;
            std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(length).unwrap();
            let is_stale = borrow::<TodoItem>(handle).is_err();
            let made: Vec<u64> =
                (0..3000).map(|_| lower(Arc::new(TodoItem::new("new"))).unwrap()).collect();
            let is_new = made.iter().all(|&made| made != handle && text_of(made) == "new");
            let is_released =
                made.into_iter().all(|made| ownership::release(runtime(), made).is_ok());
            agent::stop();
            agent::exit();
            first_failed(&[
                is_watched,
                is_stale,
                is_new,
                is_released,
                bus_handler() == before,
                !path.exists(),
            ])
        });
        assert_eq!(code, 0, "truncated to {length}");
    }
}

#[test]
fn a_bus_error_elsewhere_ends_the_process_as_before() {
    let options = Options {
        level: 1,
        idle_level: 1,
        program: "a test",
        runtime: "Rust",
        directory: None,
        stay: Stay::default(),
    };
    let child = fork(|| {
        agent::start(&options).unwrap();
        let path = agent::segment_path().unwrap();
        let file = std::fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
        agent::exit();
        testing::read_behind_the_end(&file).into()
    });
    assert_eq!(child.end(), End::BusError);
}
