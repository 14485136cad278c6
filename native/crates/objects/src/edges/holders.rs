//! JSON answers to two questions: which holders an object has, and which objects it holds.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use serde_json::{json, Map, Value};

use super::labels::{labels, Named};
use super::walk::{all, of_handle};
use super::{leads_to, Maps};
use crate::object::spec_of;
use crate::object::Held;
use crate::ownership::in_flight;
use recorder::runtime::Runtime;
use recorder::types::{kind_of, name_of};
use segment::layout::Kind;
use segment::registry::{generation_of, is_current, shown};
use segment::status::{Error, Result, Status};
use segment::Part;

/// So many holders are named; a person reads no more.
const NAMED: usize = 200;

/// Longest time for reading the memory of other objects for pointers to one object.
const SCAN_PATIENCE: Duration = Duration::from_millis(300);

/// Named native references on the object of a row: from objects that report, and labelled
/// references.
pub fn holders(runtime: &Runtime, handle: u64) -> Map<String, Value> {
    let slot = runtime
        .table
        .slot_of(handle)
        .filter(|slot| is_current(slot.word0(), handle) && slot.word0().is_live());
    let Some(address) = slot.map(|slot| slot.address()).filter(|&address| address != 0) else {
        return answer(Vec::new(), &[], 0, 0);
    };
    let found = all(runtime);
    let mut counts: BTreeMap<(u64, &str, &str), u64> = BTreeMap::new();
    for edge in found.edges.iter().filter(|edge| edge.to == Held::Address(address)) {
        *counts.entry((edge.from, edge.from_type, edge.label)).or_default() += 1;
    }
    let mut named: Vec<Value> = counts
        .iter()
        .take(NAMED)
        .map(|(&(from, from_type, label), &count)| json!({"from": from, "type": from_type, "label": label, "count": count}))
        .collect();
    let more = counts.values().skip(NAMED).sum();
    let unscanned = if counts_itself(runtime, handle) {
        0
    } else {
        scan_for_holders(runtime, address, &mut named)
    };
    answer(named, &labels_of(address), found.skipped + found.cut + unscanned, more)
}

/// The names of references that no object holds, including references in buffers.
fn labels_of(address: u64) -> Vec<Named> {
    let mut labels = labels().of(address);
    let in_flight = u32::try_from(in_flight::count_of(address)).unwrap_or(u32::MAX);
    if in_flight > 0 {
        labels.push((in_flight::LABEL.into(), in_flight));
    }
    labels
}

/// Whether a row is of our own runtime, whose objects are asked.
fn counts_itself(runtime: &Runtime, handle: u64) -> bool {
    runtime
        .table
        .slot_of(handle)
        .is_none_or(|slot| spec_of(runtime, slot.word0().type_id()).is_some())
}

/// Objects behind UniFFI proxies whose memory leads to an allocation. Answers how many were not
/// looked at, because that took too long.
fn scan_for_holders(runtime: &Runtime, target: u64, named: &mut Vec<Value>) -> u64 {
    let (maps, until, mut seen) =
        (Maps::of_this_process(), Instant::now() + SCAN_PATIENCE, HashSet::from([0, target]));
    let mut unscanned = 0;
    for index in 1..runtime.segment().used(Part::Handles) {
        let Some(slot) = runtime.table.slot(index) else { continue };
        let (word, from) = (slot.word0(), slot.address());
        let kind = kind_of(runtime, word.type_id());
        if !word.is_live()
            || !(kind == Kind::Uniffi as u8 || kind == Kind::UniffiTrait as u8)
            || !seen.insert(from)
        {
            continue;
        }
        if Instant::now() >= until || named.len() >= NAMED {
            unscanned += 1;
        } else if let Some(hops) = leads_to(&maps, from, target) {
            let label = format!("{hops} pointer{} away", if hops == 1 { "" } else { "s" });
            named.push(json!({"from": from, "type": name_of(runtime, word.type_id()), "label": label, "count": 1, "exact": false}));
        }
    }
    unscanned
}

fn answer(
    named: Vec<Value>,
    labels: &[(Box<str>, u32)],
    unread: u64,
    more: u64,
) -> Map<String, Value> {
    let labels: Vec<Value> =
        labels.iter().map(|(name, count)| json!({"label": &**name, "count": count})).collect();
    Map::from_iter([
        ("fields".to_owned(), Value::Array(named)),
        ("labels".to_owned(), Value::Array(labels)),
        ("unread".to_owned(), unread.into()),
        ("unnamed".to_owned(), more.into()),
    ])
}

/// The objects that a row's object holds, and the objects without handles that these hold in turn:
/// an array of edges.
pub fn edges_of(runtime: &Runtime, handle: u64) -> Vec<u8> {
    let found = of_handle(runtime, handle);
    json!({"edges": found.edges, "unread": found.skipped + found.cut}).to_string().into_bytes()
}

/// The key of a live foreign object of our own runtime, by its row.
pub fn foreign_key(runtime: &Runtime, row: u64) -> Result<u64> {
    let slot = runtime
        .table
        .slot_of(row)
        .filter(|slot| slot.word0().generation() == generation_of(row) && slot.word0().is_live());
    slot.filter(|slot| kind_of(runtime, slot.word0().type_id()) == Kind::Foreign as u8)
        .map(|slot| slot.data())
        .ok_or_else(|| {
            Error::new(Status::UnknownHandle, format!("{} is no foreign object", shown(row)))
        })
}
