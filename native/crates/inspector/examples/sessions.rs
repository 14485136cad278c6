//! A program whose sessions a viewer sees. Reads steps from standard input: `open N`, `clone`,
//! `plain` (a clone without a row), `close`; prints rows and the strong count of the newest.

use std::io::{self, BufRead};
use std::sync::Arc;

use arc_inspector::prelude::*;

#[derive(Traceable)]
struct Session {
    _number: usize,
}

#[inline(never)]
fn open_session(number: usize) -> TracedArc<Session> {
    TracedArc::new(Session { _number: number })
}

#[inline(never)]
fn share_session(session: &TracedArc<Session>) -> TracedArc<Session> {
    session.clone()
}

fn main() -> Result<(), arc_inspector::Error> {
    agent::start_from_env()?;
    let mut open: Vec<TracedArc<Session>> = Vec::new();
    let mut plain: Vec<Arc<Session>> = Vec::new();
    println!("ready");
    for step in io::stdin().lock().lines().map_while(io::Result::ok) {
        match step.split_once(' ') {
            Some(("open", count)) => {
                let count: usize = count.parse().unwrap_or(0);
                open.extend((0..count).map(open_session));
            }
            _ => match (step.as_str(), open.last()) {
                ("clone", Some(newest)) => {
                    let shared = share_session(newest);
                    open.push(shared);
                }
                ("plain", Some(newest)) => plain.push(Arc::clone(newest.arc())),
                ("close", Some(_)) => drop(open.pop()),
                _ => {}
            },
        }
        println!("{} {}", open.len(), open.last().map_or(0, TracedArc::strong_count));
    }
    agent::stop();
    Ok(())
}
