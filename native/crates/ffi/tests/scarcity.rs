//! Scarcity: without address space, descriptors or room the process runs on, and so do the children
//! that it forks.

#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

use agent::Options;
use control::Stay;
use objects::ownership;
use objects::ownership::{borrow, lower};
use recorder::events;
use recorder::runtime::runtime;
use samples::TodoItem;
use segment::atomic;

/// A limit of this process from now on; of address space, how much more it may take.
fn limit(kind: u32, value: u64) {
    let pages = || {
        std::fs::read_to_string("/proc/self/statm")
            .unwrap()
            .split(' ')
            .next()
            .unwrap()
            .parse::<u64>()
            .unwrap()
    };
    let value = if kind == libc::RLIMIT_AS { pages() * 4096 + value } else { value };
    assert_eq!(
        // SAFETY: a limit of ours.
        unsafe { libc::setrlimit(kind, &libc::rlimit { rlim_cur: value, rlim_max: value }) },
        0
    );
}

/// Runs `body` in a forked child: the number that it returned, 100 after a panic; fails when a
/// signal ended it.
fn in_child(body: impl FnOnce() -> i32) -> i32 {
    // SAFETY: the child leaves by `_exit`; that it may use the recorder is under test.
    match unsafe { libc::fork() } {
        0 => {
            let code = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)).unwrap_or(100);
            // SAFETY: ends the child without running the parent's exit handlers.
            unsafe { libc::_exit(code) }
        }
        child => {
            assert!(child > 0, "{}", std::io::Error::last_os_error());
            let mut status = 0;
            // SAFETY: a place for the status.
            assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
            assert!(
                libc::WIFEXITED(status),
                "the child ended by signal {}",
                libc::WTERMSIG(status)
            );
            libc::WEXITSTATUS(status)
        }
    }
}

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
fn fork_under(limits: &[(u32, u64)], body: impl Fn(u64) -> i32) {
    let handle = lower(Arc::new(TodoItem::new("of the parent"))).unwrap();
    let code = in_child(|| {
        let before = events::live_handles(runtime());
        limits.iter().for_each(|&(kind, value)| limit(kind, value));
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
    fork_under(&[(libc::RLIMIT_AS, 16 << 20)], |handle| {
        first_failed(&[works(handle), runtime().segment().has_file()])
    });
}

#[test]
fn a_child_without_a_file_keeps_its_handles_in_private_memory() {
    let limits = [(libc::RLIMIT_AS, 16 << 20), (libc::RLIMIT_NOFILE, 0)];
    fork_under(&limits, |handle| first_failed(&[works(handle), !runtime().segment().has_file()]));
}

#[test]
fn a_child_for_which_there_is_no_room_at_all_goes_on_with_new_handles() {
    let limits = [(libc::RLIMIT_AS, 0), (libc::RLIMIT_NOFILE, 0)];
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
    // SAFETY: the default is the handler of a program that is not Python.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_DFL) };
    fork_under(&[(libc::RLIMIT_FSIZE, 1 << 20)], |handle| {
        first_failed(&[works(handle), !runtime().segment().has_file()])
    });
}

/// The address of the handler of SIGBUS.
fn bus_handler() -> usize {
    // SAFETY: all zero is a sigaction, and the place is ours.
    unsafe {
        let mut found: libc::sigaction = std::mem::zeroed();
        assert_eq!(libc::sigaction(libc::SIGBUS, std::ptr::null(), &mut found), 0);
        found.sa_sigaction
    }
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
    // SAFETY: the child ends by the signal, or leaves by `_exit`.
    let child = unsafe { libc::fork() };
    if child == 0 {
        agent::start(&options).unwrap();
        let file = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(agent::segment_path().unwrap())
            .unwrap();
        agent::exit();
        // SAFETY: a mapping behind the file's end, read once; the signal is under test.
        unsafe {
            use std::os::fd::AsRawFd;
            let far = file.metadata().unwrap().len().next_multiple_of(4096) as i64 + 4096;
            let place = libc::mmap(
                std::ptr::null_mut(),
                4096,
                libc::PROT_READ,
                libc::MAP_SHARED,
                file.as_raw_fd(),
                far,
            );
            libc::_exit(i32::from(place.cast::<u8>().read_volatile()));
        }
    }
    let mut status = 0;
    // SAFETY: a place for the status.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    assert!(libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGBUS, "{status}");
}
