//! The cost of owning objects across the boundary: every strategy beside the real peers, as ratios.
//! `ARC_INSPECTOR_DOCS` names the file that the table is written to; criterion then measures the
//! calls of one thread.

#![allow(missing_docs, reason = "criterion's macros make public functions")]

mod measure;
mod peers;
mod report;

use std::hint::black_box;
use std::time::Duration;

use criterion::{criterion_group, criterion_main, Criterion};
use segment::layout::Level;

use measure::Row;
use peers::Call;
use uniffi::RustCallStatus;

uniffi::setup_scaffolding!();

const ROUNDS: usize = 25;
const QUICK_ROUNDS: usize = 9;

fn interleaved() -> Vec<Row> {
    let is_quick = std::env::args().any(|argument| argument == "--quick");
    let mut rows: Vec<Row> =
        peers::peers().into_iter().map(|peer| Row::new(peer, Level::Off)).collect();
    let counted: Vec<Row> = rows
        .iter()
        .filter(|row| report::is_ours(row))
        .map(|row| Row::new(row.peer, Level::Count))
        .collect();
    rows.extend(counted);
    for _ in 0..if is_quick { QUICK_ROUNDS } else { ROUNDS } {
        rows.iter_mut().for_each(Row::round);
    }
    rows
}

fn ownership(criterion: &mut Criterion) {
    let rows = interleaved();
    let text = report::text(&rows);
    println!("{text}");
    if let Ok(path) = std::env::var("ARC_INSPECTOR_DOCS") {
        std::fs::write(&path, text).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    let mut group = criterion.benchmark_group("call");
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    for peer in peers::peers() {
        let handle = (peer.create)();
        let name = peer.name.replace(['`', '*', '/'], "");
        match peer.call {
            Call::One(call) => group.bench_function(name, |bencher| {
                bencher.iter(|| black_box(call)(black_box(handle)))
            }),
            Call::CloneThenUse(count_up, call) => group.bench_function(name, |bencher| {
                let mut status = RustCallStatus::default();
                bencher.iter(|| {
                    let counted = black_box(count_up)(black_box(handle), &mut status);
                    black_box(call)(counted, &mut status)
                });
            }),
        };
        (peer.free)(handle);
    }
    group.finish();
}

criterion_group!(benches, ownership);
criterion_main!(benches);
