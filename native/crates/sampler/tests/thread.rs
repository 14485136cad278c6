//! The sampler's thread: when it looks, how often, and when it rests.

#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

extern crate arc_inspector_sampler as sampler;

mod table;

use std::sync::Arc;
use std::time::Duration;

use sampler::Sampler;
use segment::layout::{Kind, COUNT_UNKNOWN};
use table::{address, one, Said, Table};

#[test]
fn a_new_session_believes_what_it_sees_and_not_what_an_earlier_one_saw() {
    let (table, object) = one(Kind::Uniffi);
    let sampler = Sampler::start(table.clone()).unwrap();
    sampler.set_interval(Some(Duration::from_millis(1)));
    table.wait_for(|said| said.passes >= 1);
    sampler.set_interval(None);
    let _clones = vec![Arc::clone(&object); 4];
    sampler.set_interval(Some(Duration::from_secs(3600)));
    let passes = table.said().passes;
    table.wait_for(|said| said.passes > passes);
    sampler.stop();
    assert_eq!(table.counts(1), (5, 0, 0));
}

#[test]
fn counts_are_read_now_and_then_although_nobody_looks() {
    let (table, _object) = one(Kind::Uniffi);
    let sampler = Sampler::start_with_rest(table.clone(), Duration::from_millis(1)).unwrap();
    table.wait_for(|said| said.passes >= 1);
    sampler.stop();
    assert_eq!(table.counts(1).0, 1);
    assert_eq!(table.said().skips, 0, "time that nobody waits for is not missed");
}

#[test]
fn a_pass_that_is_asked_for_does_not_wait_and_sees_the_counts_of_now() {
    let (table, object) = one(Kind::Uniffi);
    let sampler = Sampler::start_with_rest(table.clone(), Duration::from_secs(3600)).unwrap();
    let patience = Duration::from_secs(60);
    assert!(sampler.sample_now(patience));
    assert_eq!(table.counts(1).0, 1);
    let _clones = vec![Arc::clone(&object); 4];
    assert!(sampler.sample_now(patience));
    assert_eq!(table.counts(1).0, 5);
    sampler.stop();
    assert!(!sampler.sample_now(patience));
}

#[test]
fn the_thread_rests_without_a_viewer_and_after_the_last() {
    let (table, _object) = one(Kind::Arc);
    let sampler = Sampler::start(table.clone()).unwrap();
    assert_eq!(table.said(), Said::default());
    sampler.set_interval(Some(Duration::from_millis(2)));
    let said = table.wait_for(|said| said.passes >= 3);
    assert!(said.heartbeats >= 3 && said.cpu_nanos > 0);
    assert_eq!(table.counts(1), (1, 0, COUNT_UNKNOWN));
    sampler.set_interval(None);
    sampler.stop();
    let at_rest = table.said();
    sampler.set_interval(Some(Duration::from_millis(1)));
    assert_eq!(table.said(), at_rest);
}

#[test]
fn a_large_table_is_sampled_less_often_but_the_heart_beats_on() {
    let table = Table::new(60_000);
    let objects: Vec<_> = (0..60_000_u64).map(Arc::new).collect();
    for (index, object) in objects.iter().enumerate() {
        table.put_live(index + 1, Kind::Uniffi, address(object));
    }
    let sampler = Sampler::start(table.clone()).unwrap();
    sampler.set_interval(Some(Duration::from_millis(10)));
    let said = table.wait_for(|said| said.passes >= 2);
    sampler.stop();
    assert!(said.skips >= 10, "{said:?}");
    assert!(said.heartbeats >= said.passes + said.skips, "{said:?}");
}
