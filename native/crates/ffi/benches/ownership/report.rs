//! The table, and how it was measured.

use std::fmt::Write;

use segment::layout::Level;

use crate::measure::{Row, COLUMNS};
use crate::peers::{BASE, FOREIGN_NAME, HANDLE_MAP, UNIFFI};

/// The variable in which `./dev bench ownership` gives the time of `cgo.Handle` for new and delete
/// together on this machine, if Go is installed.
const CGO_VARIABLE: &str = "ARC_INSPECTOR_CGO_NANOS";

/// Whether the peer is part of this repository.
pub fn is_ours(row: &Row) -> bool {
    row.peer.name.starts_with("**")
}

fn find<'a>(rows: &'a [Row], name: &str) -> &'a Row {
    rows.iter().find(|row| row.peer.name == name && row.level == Level::Off).expect("measured")
}

/// The whole page.
pub fn text(rows: &[Row]) -> String {
    let mut text = String::from(INTRODUCTION);
    let base = find(rows, BASE);
    let by: [f64; COLUMNS.len()] = std::array::from_fn(|column| {
        base.nanos(if column <= 2 {
            0
        } else if column <= 4 {
            3
        } else {
            5
        })
    });
    let _ =
        writeln!(text, "\n| | {} |\n|---|{}", COLUMNS.join(" | "), "---|".repeat(COLUMNS.len()));
    for row in rows {
        let recorded = if row.level == Level::Count { ", counts recorded" } else { "" };
        let _ = write!(text, "| {}{recorded} |", row.peer.name);
        for (column, by) in by.iter().enumerate() {
            let _ = write!(text, " {} |", figure(row.nanos(column), *by));
        }
        text.push('\n');
    }
    text.push_str(MEASURED);
    goals(&mut text, rows);
    text
}

fn goals(text: &mut String, rows: &[Row]) {
    let base = find(rows, BASE);
    let (map, today) = (find(rows, HANDLE_MAP), find(rows, UNIFFI));
    let foreign = find(rows, FOREIGN_NAME);
    text.push_str("\n## Against the goals\n\n| | goal | `arc` | `arc_map` | `thin` |\n|---|---|---|---|---|\n");
    let ours: Vec<&Row> = ["**`arc`**", "**`arc_map`**", "**`thin`**"]
        .into_iter()
        .map(|name| find(rows, name))
        .collect();
    let mut line = |what: &str, goal: &str, ratio: &dyn Fn(&Row) -> f64| {
        let _ = write!(text, "| {what} | {goal} |");
        for row in &ours {
            let ratio = ratio(row);
            let shown = if ratio.is_nan() { "–".into() } else { format!("{ratio:.2}") };
            let _ = write!(text, " {shown} |");
        }
        text.push('\n');
    };
    line("checked call, by UniFFI's unchecked call of today", "≤ 1.0, better 0.35", &|row| {
        row.nanos(0) / today.nanos(0)
    });
    line(
        "the same, by that of UniFFI until 0.25 (`Arc` clone + drop)",
        "≤ 1.0, better 0.35",
        &|row| row.nanos(0) / base.nanos(0),
    );
    line("two threads on one object, by the same of UniFFI today", "≤ 0.2", &|row| {
        row.nanos(1) / today.nanos(1)
    });
    line(
        "two threads on their own objects, times faster than `ConcurrentHandleMap`",
        "≥ 5",
        &|row| map.nanos(2) / row.nanos(2),
    );
    line("create, by `Arc`", "≤ 1.6", &|row| row.nanos(3) / base.nanos(3));
    line("free, by `Arc`", "≤ 1.2", &|row| row.nanos(5) / base.nanos(5));
    line("create, two threads by one", "flat", &|row| row.nanos(4) / row.nanos(3));
    line("free, two threads by one", "flat", &|row| row.nanos(6) / row.nanos(5));
    line("recording counts, call", "≤ 1.05", &|row| counted(rows, row).nanos(0) / row.nanos(0));
    line("recording counts, create + free", "≤ 1.05", &|row| {
        let both = |row: &Row| row.nanos(3) + row.nanos(5);
        both(counted(rows, row)) / both(row)
    });
    let both = foreign.nanos(3) + foreign.nanos(5);
    let _ = match std::env::var(CGO_VARIABLE).ok().and_then(|nanos| nanos.parse::<f64>().ok()) {
        Some(cgo) => writeln!(
            text,
            "\n`foreign`, new + delete: {both:.1} ns, ×{:.1} faster than Go's `cgo.Handle`, which took {cgo:.1} ns right before (goal 5).",
            cgo / both
        ),
        None => writeln!(text, "\n`foreign`, new + delete: {both:.1} ns; no Go was found to compare with."),
    };
}

/// A figure, or a dash where no round could be measured.
fn figure(nanos: f64, by: f64) -> String {
    if nanos.is_nan() {
        return "–".into();
    }
    format!("{nanos:.1} (×{:.2})", nanos / by)
}

fn counted<'a>(rows: &'a [Row], row: &Row) -> &'a Row {
    rows.iter()
        .find(|other| other.level == Level::Count && other.peer.name == row.peer.name)
        .expect("measured")
}

const INTRODUCTION: &str = "# The cost of ownership

Written by `./dev bench ownership`; do not edit. The unit is nanoseconds per operation; in brackets
the ratio to an `Arc` of one thread: its clone + drop for calls, its creation and its free for those.
Our strategies are checked (zero, stale, wrong type, random bits), show the call to the viewer and hold
up a release meanwhile; the peers above them in the table are unchecked, except for the handle map.
";

const MEASURED: &str = "
All peers are called through a C function pointer, in one interleaved run: each round measures every
row and every column once, and the lower quartile of the rounds counts. *Two threads*: the average of
both; a round counts only when both had a processor of their own nearly all the time (–: no round
did). Recording is off unless the row says otherwise. ffi-support, triomphe and uniffi are the
released crates; uniffi's generated functions are called, the clone call and the consuming call as its
bindings call them. *create* and *free*: passes over a thousand objects, of which the first three do
not count: in them a new thread takes rows from the common queue, which other threads used last.

The ratios depend on the cost of a locked instruction on the machine. The goals were set where `Arc`
clone + drop takes 9.8 ns, and 41 ns on two threads that share the object; here it takes less than
half of that. A borrowed `Arc`, which checks nothing at all, is ×0.35 of it already, so a checked call
cannot be.

*create* and *free* do more than `Arc`: creating writes the row's eight words for the viewer and the
note of its user, freeing takes the row out of use with one more locked instruction (another thread
may release it at the same time) and writes thread, time and site for its tombstone. A thread uses its
own dead rows again, a thousand deaths later, so threads do not meet. Goals of ×1.6 and ×1.2 leave
4 ns and 2 ns for that where `Arc` takes 7: out of reach for a row that a viewer can read. With counts
recorded each birth and each death reads the time-stamp counter, which takes 7.7 ns here and is nearly
the whole difference.
";
