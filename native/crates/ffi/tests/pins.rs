//! The pins that a thread shows while its calls begin and end in any order.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use objects::ownership;
use objects::ownership::lower;
use recorder::levels;
use recorder::runtime::runtime;
use recorder::threads::{here, pins_of, Pin};
use samples::TodoItem;
use segment::atomic;
use segment::layout::Level;

/// Numbers that look like chance and are the same every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

fn items(count: usize) -> Vec<u64> {
    (0..count).map(|_| lower(Arc::new(TodoItem::new(""))).expect("a row")).collect()
}

fn shown() -> Vec<u64> {
    let (mut shown, own) = (Vec::new(), here());
    pins_of(runtime(), |thread, handle| {
        if thread == own {
            shown.push(handle);
        }
    });
    shown.sort_unstable();
    shown
}

fn begin(handle: u64) -> Pin {
    match Pin::plain(handle) {
        Some((pin, _)) => pin,
        None => Pin::new(runtime(), handle),
    }
}

fn end(pin: Pin, is_plain: bool) {
    match runtime().table.slot_of(pin.handle()) {
        Some(row) if is_plain => pin.end(&row),
        _ => drop(pin),
    }
}

#[test]
fn calls_that_end_in_any_order_at_any_level_show_exactly_those_that_go_on() {
    let handles = items(3);
    let (mut numbers, mut pins) = (Numbers(1), Vec::new());
    for _ in 0..20_000 {
        match numbers.below(10) {
            0..=4 if pins.len() < 11 => pins.push(begin(handles[numbers.below(3)])),
            9 => levels::set_level(runtime(), numbers.below(4) as u8),
            _ if !pins.is_empty() => {
                end(pins.remove(numbers.below(pins.len())), numbers.below(2) == 0)
            }
            _ => {}
        }
        let mut expected: Vec<u64> = pins.iter().map(Pin::handle).collect();
        expected.sort_unstable();
        assert_eq!(shown(), expected);
    }
    drop(pins);
    levels::set_level(runtime(), Level::Off as u8);
    assert_eq!(shown(), [0_u64; 0]);
    handles.into_iter().for_each(|handle| ownership::release(runtime(), handle).expect("live"));
}

#[test]
fn a_call_without_history_shows_no_time_though_the_last_one_had_one() {
    let handle = items(1)[0];
    let slot = runtime().segment().thread(u32::from(here()));
    let time = || atomic!(AtomicU64, slot, call_ticks[0]).load(Ordering::Relaxed);
    // the level is the process's, and the other test changes it: try until the two looks were at
    // the levels wanted
    let was_seen = (0..100_000).any(|_| {
        levels::set_level(runtime(), Level::History as u8);
        let recorded = begin(handle);
        let at = time();
        levels::set_level(runtime(), Level::Off as u8);
        drop(recorded);
        let plain = Pin::plain(handle);
        let is_plain = plain.is_some();
        assert!(!is_plain || time() == 0);
        at != 0 && is_plain
    });
    assert!(was_seen);
    ownership::release(runtime(), handle).expect("live");
}
