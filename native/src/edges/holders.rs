//! The answers to *who holds it* and *what does it hold*, as JSON.

use std::collections::BTreeMap;

use serde_json::{json, Value};

use super::walk::{all, of_handle};
use super::Held;
use crate::layout::Kind;
use crate::registry::{generation_of, is_current, shown};
use crate::runtime::Runtime;
use crate::status::{Error, Result, Status};
use crate::types::kind_of;
use crate::wire::Fields;

/// So many holders are named; a person reads no more.
const NAMED: usize = 200;

/// Which native references on the object of a row have a name: those of objects that report, and labelled ones.
pub fn holders(runtime: &Runtime, handle: u64) -> Fields {
    let slot = runtime.table.slot_of(handle).filter(|slot| is_current(slot.word0(), handle) && slot.word0().is_live());
    let Some(address) = slot.map(|slot| slot.address()).filter(|&address| address != 0) else {
        return answer(Vec::new(), &[], 0, 0);
    };
    let found = all(runtime);
    let mut counts: BTreeMap<(u64, &str, &str), u64> = BTreeMap::new();
    for edge in found.edges.iter().filter(|edge| edge.to == Held::Address(address)) {
        *counts.entry((edge.from, edge.from_type, edge.label)).or_default() += 1;
    }
    let named: Vec<Value> = counts
        .iter()
        .take(NAMED)
        .map(|(&(from, from_type, label), &count)| json!({"from": from, "type": from_type, "label": label, "count": count}))
        .collect();
    let more = counts.values().skip(NAMED).sum();
    answer(named, &runtime.labels.of(address), found.skipped + found.cut, more)
}

fn answer(named: Vec<Value>, labels: &[(Box<str>, u32)], unread: u64, more: u64) -> Fields {
    let labels: Vec<Value> = labels.iter().map(|(name, count)| json!({"label": &**name, "count": count})).collect();
    Fields::from_iter([
        ("fields".to_owned(), Value::Array(named)),
        ("labels".to_owned(), Value::Array(labels)),
        ("unread".to_owned(), unread.into()),
        ("unnamed".to_owned(), more.into()),
    ])
}

/// What the object of a row holds, and what those hold that have no handle: an array of edges.
pub fn edges_of(runtime: &Runtime, handle: u64) -> Vec<u8> {
    let found = of_handle(runtime, handle);
    json!({"edges": found.edges, "unread": found.skipped + found.cut}).to_string().into_bytes()
}

/// The key of a live foreign object of our own runtime, by its row.
pub fn foreign_key(runtime: &Runtime, row: u64) -> Result<u64> {
    let slot = runtime.table.slot_of(row).filter(|slot| slot.word0().generation() == generation_of(row) && slot.word0().is_live());
    slot.filter(|slot| kind_of(runtime, slot.word0().type_id()) == Kind::Foreign as u8)
        .map(|slot| slot.data())
        .ok_or_else(|| Error::new(Status::UnknownHandle, format!("{} is no foreign object", shown(row))))
}
